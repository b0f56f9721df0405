"""What the documents are made from: contracts and doors, all of them imported."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from shared.contracts.envelope import EVENTS, EventData
from shared.devstack.registry import SERVICES


@dataclass(frozen=True)
class Method:
    """A method of a service: as its protocol says it, and the request class that its door validates with."""

    service: str
    name: str
    promised: Callable[..., Any]
    request: type | None

    @property
    def meaning(self) -> str:
        """Its docstring, on one line."""
        return " ".join((inspect.getdoc(self.promised) or "").split())

    @property
    def deprecated(self) -> str | None:
        """What to use instead, when it is about to go (`@deprecated` on the protocol's method)."""
        return getattr(self.promised, "__deprecated__", None)


def events() -> list[type[EventData]]:
    """Every event, by owner and name."""
    for service in SERVICES:
        import_module(f"shared.contracts.{service}.events")
    return [event for _, event in sorted(EVENTS.items())]


def methods(service: str) -> list[Method]:
    """What a service answers, by name."""
    protocol = getattr(import_module(f"shared.contracts.{service}.rpc"), f"{service.capitalize()}Rpc")
    answered = entrypoints(service)
    return [
        Method(service, name, promised, answered[name].request if name in answered else None)
        for name, promised in inspect.getmembers(protocol, inspect.isfunction)
        if not name.startswith("_")
    ]


def entrypoints(service: str) -> dict[str, Any]:
    """The `@rpc` entrypoints of a service's door, by method."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # eventlet's, on its import: that it is deprecated is known
        from shared.chassis.rpc.server import Rpc

        cls = door(service)
    return {
        name: entrypoint
        for name in dir(cls)
        for entrypoint in getattr(getattr(cls, name), "nameko_entrypoints", ())
        if isinstance(entrypoint, Rpc)
    }


def door(service: str) -> type[Any]:
    """The class of a service."""
    module, _, name = SERVICES[service].partition(":")
    found: type[Any] = getattr(import_module(module), name)
    return found
