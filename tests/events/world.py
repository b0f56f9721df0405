"""All seven services in this process, over their real databases: their doors are called, their outboxes are emptied.

Nothing here knows what a service does. Calls go through `@rpc` doors, with the other services' doors in place of the
broker; events go through `@handles` methods by the chassis's own batches (see `delivery`).
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from nameko.extensions import DependencyProvider

from shared.chassis import batches
from shared.chassis.batches import Batch
from shared.chassis.context import Context, current
from shared.chassis.handles import Handles
from shared.chassis.health import Watch
from shared.chassis.rpc.client import RpcTo
from shared.chassis.service import DatabaseProvider
from shared.chassis.testing.databases import Databases
from shared.chassis.timers import Sweep
from shared.chassis.verification import Equations, Suspicion, verify
from shared.contracts.envelope import EVENTS, EventData, Received, parse
from shared.devstack.registry import SERVICES, plan

plan()  # imports every owner's events

_TAKE = (
    "WITH taken AS (UPDATE outbox SET sent_at = now() WHERE sent_at IS NULL RETURNING seq, payload)"
    " SELECT payload FROM taken ORDER BY seq"
)


@dataclass
class Message:
    """An event on its way to one reader; `payload` is what the broker would give."""

    payload: dict[str, Any]
    attempts: int = 0

    @property
    def delivery_info(self) -> dict[str, str]:
        return {"routing_key": self.payload["type"]}


@dataclass(frozen=True)
class _Ear:
    """What a batch needs of a `Handles` entrypoint."""

    method_name: str
    inbox: bool


_parsed: dict[str, Received[Any]] = {}


def _parse_once(payload: dict[str, Any]) -> Received[Any]:
    """The same event is delivered many times here, and means the same each time."""
    if payload["id"] not in _parsed:
        _parsed[payload["id"]] = parse(payload)
    return _parsed[payload["id"]]


@dataclass
class Seat:
    """One service: an instance of its class with its dependencies, and what is at its door."""

    service: Any
    ears: dict[type[EventData], _Ear] = field(default_factory=dict)
    doors: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, method in inspect.getmembers(type(self.service), inspect.isfunction):
            for entrypoint in getattr(method, "nameko_entrypoints", ()):
                if isinstance(entrypoint, Handles):
                    ear = _Ear(name, entrypoint.inbox)
                    self.ears |= dict.fromkeys(entrypoint.types, ear)
                else:
                    self.doors[name] = entrypoint

    def handler(self, type_: type[EventData]) -> _Ear | None:
        """As the event queue of a running service answers a batch."""
        return self.ears.get(type_)

    def over(self, message: Message) -> bool:
        """Nothing ends in the middle of a batch here."""
        return False

    def hear(self, messages: Sequence[Message]) -> Batch:
        """Works off one batch as a running service does."""
        batch = Batch(self, messages)
        with patch.object(batches, "parse", _parse_once):
            batch.work(self.service)
        return batch


class World:
    """The services by name. `told` are the events that have left any outbox since the world was made."""

    def __init__(self, databases: Databases) -> None:
        self.databases = databases
        self.told: list[dict[str, Any]] = []
        self.seats = {name: Seat(self._make(name)) for name in SERVICES}

    def call(self, service: str, method: str, /, *, ctx: Context | None = None, **arguments: Any) -> Any:
        """The method's answer, as if another process had asked; without `ctx` as whoever is in place."""
        seat = self.seats[service]
        asked = SimpleNamespace(args=(ctx or current(), arguments))
        return seat.doors[method].run(asked, getattr(seat.service, method))

    def sweep(self, service: str, method: str) -> Any:
        """One round of a sweep."""
        seat = self.seats[service]
        sweep = seat.doors[method]
        assert isinstance(sweep, Sweep)
        return sweep.run(None, getattr(seat.service, method))

    def take(self, service: str) -> list[dict[str, Any]]:
        """What waits in an outbox, in its order, as if a relay had sent it."""
        news = [json.loads(payload) for (payload,) in self.rows(service, _TAKE)]
        self.told += news
        return news

    def rows(self, service: str, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """As a superuser."""
        with self.databases.admin(service).cursor() as cursor:
            cursor.execute(query, values or None)
            found: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
            return found

    def past_guards(self, service: str, *statements: str) -> None:
        """Statements that no trigger sees, as after a disaster."""
        work = ["SET session_replication_role = replica", *statements, "RESET session_replication_role"]
        with self.databases.admin(service).cursor() as cursor:
            cursor.execute("; ".join(work))

    def violations(self) -> list[Suspicion]:
        """What `verify` would say of these databases."""
        equations = {}
        for service in SERVICES:
            module = import_module(f"{service}.invariants")
            url = self.databases.url(service, "nexus_verify")
            equations[service] = Equations(url, module.INVARIANTS, module.CLAIMS, module.FACTS)
        return verify(equations, dict).violations

    def _make(self, name: str) -> Any:
        module, _, cls = SERVICES[name].partition(":")
        service = getattr(import_module(module), cls)()
        for attribute, provider in inspect.getmembers(type(service), lambda one: isinstance(one, DependencyProvider)):
            if isinstance(provider, DatabaseProvider):
                setattr(service, attribute, self.databases.get(name))
            elif isinstance(provider, RpcTo):
                setattr(service, attribute, _Neighbour(self, provider._service))
            elif not isinstance(provider, Watch):
                provider.setup()
                setattr(service, attribute, provider.get_dependency(None))
        return service


class _Neighbour:
    """Another service as commands see it."""

    def __init__(self, world: World, name: str) -> None:
        self._world, self._name = world, name

    def __getattr__(self, method: str) -> Callable[..., Any]:
        return partial(self._world.call, self._name, method)


def readers(event: Mapping[str, Any]) -> tuple[str, ...]:
    """Who hears an event, as the topology binds it."""
    return EVENTS[event["source"], event["type"]].readers
