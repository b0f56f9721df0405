"""docker-compose.yml as an engine would see it, read without one: merged, and with its variables filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from shared.devstack.registry import SERVICES

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
_VARIABLE = re.compile(r"\$\{([A-Z_]+)(:?)-([^}]*)\}")
_READ = yaml.safe_load(TEXT)

SERVERS = ("postgres", "rabbitmq")
OURS = ("setup", "relay", *SERVICES, "gateway")
SECRETS = sorted({name for name, _, default in _VARIABLE.findall(TEXT) if default == "dev-only"})
"""Every variable that has the default which prod refuses."""


def composed(values: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The whole file, with `values` for variables and the defaults for all others."""
    found: dict[str, Any] = _filled(_READ, values or {})
    return found


def _filled(node: Any, values: Mapping[str, str]) -> Any:
    if isinstance(node, str):
        return _VARIABLE.sub(lambda found: _value(values, *found.groups()), node)
    if isinstance(node, dict):
        return {key: _filled(value, values) for key, value in node.items()}
    return [_filled(value, values) for value in node] if isinstance(node, list) else node


def _value(values: Mapping[str, str], name: str, colon: str, default: str) -> str:
    # With a colon the default also stands for what is set to nothing.
    return (values.get(name) or default) if colon else values.get(name, default)


def container(name: str, values: Mapping[str, str] | None = None) -> dict[str, Any]:
    """One container of it."""
    found: dict[str, Any] = _filled(_READ["services"][name], values or {})
    return found


def environment(name: str, values: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a container is told when `values` are all that is set."""
    told = values or {}
    found = container(name, values).get("environment", {})
    return {key: str(value) if value is not None else told[key] for key, value in found.items() if value or key in told}
