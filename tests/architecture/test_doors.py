"""What contracts promise and what services' doors do is the same."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

import pytest

from shared.chassis.handles import Handles
from shared.contracts.envelope import EVENTS
from shared.devstack.registry import CALLS, GATEWAY_EVENTS, SERVICES, plan

plan()  # imports every owner's events


def door(service: str) -> type[Any]:
    module, _, name = SERVICES[service].partition(":")
    found: type[Any] = getattr(import_module(module), name)
    return found


def entrypoints(service: str) -> list[tuple[str, Any]]:
    cls = door(service)
    return [
        (name, entrypoint) for name in dir(cls) for entrypoint in getattr(getattr(cls, name), "nameko_entrypoints", ())
    ]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_hears_exactly_the_events_that_name_it_as_reader(service: str) -> None:
    heard = [type_ for _, found in entrypoints(service) if isinstance(found, Handles) for type_ in found.types]
    named = {event for event in EVENTS.values() if service in event.readers}
    assert set(heard) == named
    assert len(heard) == len(named)


@pytest.mark.parametrize("service", SERVICES)
def test_a_handler_is_named_for_its_event(service: str) -> None:
    for name, found in entrypoints(service):
        if isinstance(found, Handles):
            assert name in {f"on_{type_.type}" for type_ in found.types}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_answers_exactly_the_calls_of_its_contract(service: str) -> None:
    contract = getattr(import_module(f"shared.contracts.{service}.rpc"), f"{service.capitalize()}Rpc")
    promised = {name for name, _ in inspect.getmembers(contract, inspect.isfunction) if not name.startswith("_")}
    answered = {name for name, found in entrypoints(service) if type(found).__name__ == "Rpc"}
    assert answered - {"health"} == promised


def test_every_reader_is_a_service() -> None:
    readers = {reader for event in EVENTS.values() for reader in event.readers}
    assert readers <= set(SERVICES)


def test_the_gateway_listens_to_events_that_there_are() -> None:
    listened = {(owner, type_) for owner, types in GATEWAY_EVENTS.items() for type_ in types}
    assert listened <= set(EVENTS)


def test_the_call_graph_has_no_cycle() -> None:
    def reach(caller: str, path: tuple[str, ...]) -> None:
        assert caller not in path, " -> ".join((*path, caller))
        for callee in CALLS.get(caller, ()):
            reach(callee, (*path, caller))

    for caller in CALLS:
        reach(caller, ())
