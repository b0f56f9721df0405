"""The quick reader and marshmallow are one: they take the same data to the same instance, and refuse the same."""

from __future__ import annotations

import copy
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from shared.contracts import schema
from shared.contracts.envelope import EVENTS, Envelope
from shared.contracts.errors import ValidationFailed
from shared.contracts.quick import Unsure, reader_of
from shared.devstack.registry import SERVICES, plan

plan()  # imports every owner's events

REQUESTS = [
    found
    for service in SERVICES
    for found in vars(import_module(f"shared.contracts.{service}.rpc")).values()
    if isinstance(found, type) and found.__name__.endswith("Request")
]
ODD: list[Any] = [
    None, True, False, 0, 1, -1, 10**20, 1.5, "", "x", "10.00", "1e5", "\N{ARABIC-INDIC DIGIT FIVE}", [], ["x"], [1],
    {}, {"a": 1}, "01920000-0000-7000-8000-000000000001", "2026-01-01T00:00:00Z", "USD", "usd", "CALL", "x" * 5000,
]  # fmt: skip


def plainly(cls: type, data: Any, *, closed: bool) -> Any:
    """As marshmallow alone reads it; None where it refuses."""
    try:
        return schema.schema_of(cls, closed=closed).load(copy.deepcopy(data))
    except ValidationError:
        return None


def quickly(cls: type, data: Any, *, closed: bool) -> Any:
    try:
        return reader_of(cls, closed=closed)(data)
    except Unsure:
        return None


@pytest.mark.parametrize("event", EVENTS.values(), ids=lambda event: event.type)
def test_every_example_is_read_quickly(event: Any) -> None:
    example = event.example()
    data = schema.dump(example)
    assert quickly(event, data, closed=False) == example == plainly(event, data, closed=False)
    assert quickly(event, {**data, "newer": 1}, closed=False) == example


@settings(max_examples=600, deadline=None)
@given(data=st.data())
def test_both_take_and_refuse_the_same(data: Any) -> None:
    cls = data.draw(st.sampled_from([*REQUESTS, *EVENTS.values(), Envelope]))
    names = [*schema.schema_of(cls, closed=True).fields, "unknown"]
    sound = schema.dump(cls.example()) if cls in EVENTS.values() else {}
    changes = data.draw(st.dictionaries(st.sampled_from(names), st.sampled_from(ODD), max_size=len(names)))
    missing = data.draw(st.sets(st.sampled_from(names)))
    value = {name: one for name, one in {**sound, **changes}.items() if name not in missing}
    closed = data.draw(st.booleans())
    assert quickly(cls, value, closed=closed) == plainly(cls, value, closed=closed)


@pytest.mark.parametrize("value", ODD, ids=repr)
def test_what_is_no_object_is_refused_with_a_reason(value: Any) -> None:
    if value != {}:
        with pytest.raises(ValidationFailed):
            schema.load_closed(Envelope, value)
