"""A door validates exactly what its protocol promises: the same arguments, required or with the same defaults."""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol, get_args, get_origin

import pytest

from cli.documents import sources
from shared.contracts.schema import UNSET
from shared.contracts.types import Id
from shared.devstack.registry import SERVICES

METHODS = [method for service in SERVICES for method in sources.methods(service)]


def plain(annotation: Any) -> Any:
    """What a type looks like to callers: without validators, a literal as its text."""
    if get_origin(annotation) is Annotated:
        return plain(get_args(annotation)[0])
    if get_origin(annotation) is Literal:
        return str
    if isinstance(annotation, types.UnionType) or get_origin(annotation) is typing.Union:
        return frozenset(plain(member) for member in get_args(annotation))
    return annotation


def difference(promised: Callable[..., Any], request: type | None) -> list[str]:
    """How the arguments of a protocol's method and the fields of a request differ."""
    hints = typing.get_type_hints(promised, include_extras=True)
    parameters = {name: one for name, one in inspect.signature(promised).parameters.items() if name != "self"}
    rest = [name for name, one in parameters.items() if one.kind is inspect.Parameter.VAR_KEYWORD]
    fields = {} if request is None else {field.name: field for field in dataclasses.fields(request)}
    known = {} if request is None else typing.get_type_hints(request, include_extras=True)
    found = [
        f"{name} may be given by position" for name, one in parameters.items() if one.kind is one.POSITIONAL_OR_KEYWORD
    ]
    found += [f"{name} is not in the request" for name in parameters.keys() - fields.keys() - set(rest)]
    for name, field in fields.items():
        # `**changes` of a protocol are the fields that may be left out, and then stay as they are.
        if name not in parameters and rest and field.default is UNSET:
            continue
        if name not in parameters:
            found.append(f"{name} is not promised")
            continue
        default = inspect.Parameter.empty if field.default is dataclasses.MISSING else field.default
        if parameters[name].default != default:
            found.append(f"{name} has another default")
        if plain(hints[name]) != plain(known[name]):
            found.append(f"{name} has another type")
    return sorted(found)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: f"{method.service}.{method.name}")
def test_a_request_is_what_the_protocol_promises(method: sources.Method) -> None:
    assert difference(method.promised, method.request) == []


@pytest.mark.parametrize("method", METHODS, ids=lambda method: f"{method.service}.{method.name}")
def test_a_door_returns_what_the_protocol_promises(method: sources.Method) -> None:
    answered = getattr(sources.door(method.service), method.name)
    assert typing.get_type_hints(answered)["return"] == typing.get_type_hints(method.promised)["return"]


@dataclass(frozen=True, kw_only=True)
class Asked:
    thing_id: Id
    amount: int
    note: str | None = None


class Promises(Protocol):
    def same(self, *, thing_id: str, amount: int, note: str | None = None) -> None: ...
    def lacks_one(self, *, thing_id: str, note: str | None = None) -> None: ...
    def has_more(self, *, thing_id: str, amount: int, note: str | None = None, more: str = "") -> None: ...
    def wants_all(self, *, thing_id: str, amount: int, note: str | None) -> None: ...
    def means_other(self, *, thing_id: str, amount: str, note: str | None = "none") -> None: ...
    def by_position(self, thing_id: str, *, amount: int, note: str | None = None) -> None: ...


@pytest.mark.parametrize(
    ("promised", "differences"),
    [
        (Promises.same, []),
        (Promises.lacks_one, ["amount is not promised"]),
        (Promises.has_more, ["more is not in the request"]),
        (Promises.wants_all, ["note has another default"]),
        (Promises.means_other, ["amount has another type", "note has another default"]),
        (Promises.by_position, ["thing_id may be given by position"]),
    ],
)
def test_every_difference_is_noticed(promised: Callable[..., Any], differences: list[str]) -> None:
    assert difference(promised, Asked) == differences
