"""The frozen contracts: JSON Schema of every event and of every call, one file each.

A file is committed with the change that it describes. `tests/contracts` compares it with what was committed before, by
the rules of `shared/contracts/compatibility.py`.
"""

from __future__ import annotations

import inspect
import json
import typing
from collections.abc import Iterator
from typing import Any

from cli.documents.json_schema import schema_of
from cli.documents.sources import Method, events, methods
from shared.contracts import schema
from shared.contracts.envelope import EventData
from shared.devstack.registry import SERVICES

FOLDER = "shared/contracts/published"
_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def written() -> Iterator[tuple[str, str]]:
    """`<owner>.event.<type>.json` and `<owner>.rpc.<method>.json`."""
    for name, document in documents().items():
        yield f"{FOLDER}/{name}.json", json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def documents() -> dict[str, dict[str, Any]]:
    """Every contract by its name."""
    found = {f"{event.owner}.event.{event.type}": _event(event) for event in events()}
    for service in SERVICES:
        found |= {f"{service}.rpc.{method.name}": _method(method) for method in methods(service)}
    return found


def _event(event: type[EventData]) -> dict[str, Any]:
    return {
        "$schema": _DRAFT,
        "title": event.type,
        "description": inspect.getdoc(event),
        **({"deprecated": True} if event.deprecated else {}),
        **schema_of(event),
        "examples": [schema.dump(event.example())],
    }


def _method(method: Method) -> dict[str, Any]:
    answer = typing.get_type_hints(method.promised, include_extras=True)["return"]
    request = {"type": "object", "properties": {}, "required": []}
    return {
        "$schema": _DRAFT,
        "title": f"{method.service}.{method.name}",
        "description": method.meaning,
        **({"deprecated": True} if method.deprecated else {}),
        "$defs": {
            "request": request if method.request is None else schema_of(method.request),
            "answer": schema_of(answer),
        },
    }
