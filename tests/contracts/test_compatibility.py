"""What may become of a published contract, and what is refused, with the reason."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from shared.contracts.compatibility import breaks

STAKE = {"type": "integer", "minimum": 1, "maximum": 100}
SIDE = {"type": "string", "enum": ["CALL", "PUT"]}
NOTE = {"type": ["string", "null"], "maxLength": 20, "default": None}


def shape(**properties: Any) -> dict[str, Any]:
    """An object whose fields without a default are required."""
    return {
        "type": "object",
        "properties": copy.deepcopy(properties),
        "required": sorted(name for name, one in properties.items() if "default" not in one),
    }


BEFORE = shape(stake=STAKE, side=SIDE, note=NOTE, lines={"type": "array", "items": shape(amount={"type": "integer"})})

CHANGES = {
    "nothing": {},
    "a new optional field": {"more": {"type": "string", "default": None}},
    "a new required field": {"more": {"type": "string"}},
    "a removed field": {"stake": None},
    "a removed optional field": {"note": None},
    "a removed field of an item": {"lines": {"type": "array", "items": shape()}},
    "a changed type": {"stake": {"type": "string"}},
    "may be null now": {"stake": {**STAKE, "type": ["integer", "null"]}},
    "may not be null any more": {"note": {**NOTE, "type": "string"}},
    "may be left out now": {"stake": {**STAKE, "default": 1}},
    "required now": {"note": {k: v for k, v in NOTE.items() if k != "default"}},
    "a narrowed enum": {"side": {"type": "string", "enum": ["CALL"]}},
    "a widened enum": {"side": {"type": "string", "enum": ["CALL", "PUT", "BOTH"]}},
    "an enum where anything went": {"note": {**NOTE, "enum": ["a", None]}},
    "a lower maximum": {"stake": {**STAKE, "maximum": 50}},
    "a higher maximum": {"stake": {**STAKE, "maximum": 200}},
    "a pattern": {"note": {**NOTE, "pattern": "^a"}},
    "another default": {"note": {**NOTE, "default": "none"}},
}


def after(change: dict[str, Any]) -> dict[str, Any]:
    fields = {**BEFORE["properties"], **change}
    return shape(**{name: one for name, one in fields.items() if one is not None})


def found(kind: str, change: str) -> list[str]:
    new = after(CHANGES[change])
    if kind == "event":
        return breaks({"x.event.y": BEFORE}, {"x.event.y": new})
    empty = shape()
    old, now = ({"request": BEFORE, "answer": empty}, {"request": new, "answer": empty})
    if kind == "answer":
        old, now = ({"request": empty, "answer": BEFORE}, {"request": empty, "answer": new})
    return breaks({"x.rpc.y": {"$defs": old}}, {"x.rpc.y": {"$defs": now}})


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("event", "nothing"),
        ("event", "a new optional field"),
        ("request", "nothing"),
        ("request", "a new optional field"),
        ("request", "may be null now"),
        ("request", "may be left out now"),
        ("request", "a widened enum"),
        ("request", "a higher maximum"),
        ("answer", "nothing"),
        ("answer", "a new optional field"),
        ("answer", "a new required field"),
        ("answer", "may not be null any more"),
        ("answer", "a narrowed enum"),
        ("answer", "a lower maximum"),
        ("answer", "another default"),
    ],
)
def test_what_older_and_newer_readers_understand_may_come(kind: str, change: str) -> None:
    assert found(kind, change) == []


@pytest.mark.parametrize(
    ("kind", "change", "reason"),
    [
        ("event", "a new required field", "more: not there, and required by readers of after the change"),
        ("event", "a removed field", "stake: removed, and readers wait for it"),
        ("event", "a removed optional field", "note: removed, and readers wait for it"),
        ("event", "a removed field of an item", "lines.[].amount: removed, and readers wait for it"),
        ("event", "a changed type", "stake: integer is not taken by readers of after the change"),
        ("event", "may be null now", "stake: null is not taken by readers of before the change"),
        ("event", "may not be null any more", "note: null is not taken by readers of after the change"),
        ("event", "may be left out now", "stake: not always there, and required by readers of before the change"),
        ("event", "required now", "note: not always there, and required by readers of after the change"),
        ("event", "a narrowed enum", "side: PUT is refused by readers of after the change"),
        ("event", "a widened enum", "side: BOTH is refused by readers of before the change"),
        ("event", "an enum where anything went", "note: any other value is refused by readers of after the change"),
        ("event", "a lower maximum", "stake: more than maximum 50 is refused by readers of after the change"),
        ("event", "a higher maximum", "stake: more than maximum 100 is refused by readers of before the change"),
        ("event", "a pattern", "note: other than ^a is refused by readers of after the change"),
        ("request", "a new required field", "more: not there, and required by the owner"),
        ("request", "a removed field", "stake: removed, and callers still send it"),
        ("request", "a changed type", "stake: integer is not taken by the owner"),
        ("request", "may not be null any more", "note: null is not taken by the owner"),
        ("request", "required now", "note: not always there, and required by the owner"),
        ("request", "a narrowed enum", "side: PUT is refused by the owner"),
        ("request", "a lower maximum", "stake: more than maximum 50 is refused by the owner"),
        ("request", "another default", "note: left out it meant None, and now 'none'"),
        ("answer", "a removed field", "stake: removed, and callers read it"),
        ("answer", "a removed field of an item", "lines.[].amount: removed, and callers read it"),
        ("answer", "a changed type", "stake: string is not taken by older callers"),
        ("answer", "may be null now", "stake: null is not taken by older callers"),
        ("answer", "may be left out now", "stake: not always there, and required by older callers"),
        ("answer", "a widened enum", "side: BOTH is refused by older callers"),
    ],
)
def test_what_somebody_could_not_read_is_refused(kind: str, change: str, reason: str) -> None:
    name = "x.event.y" if kind == "event" else "x.rpc.y"
    assert f"{name}: {reason}" in found(kind, change)


def test_a_break_is_told_once() -> None:
    for kind in ("event", "request", "answer"):
        for change in CHANGES:
            told = found(kind, change)
            assert len(told) == len(set(told))
    assert len(found("answer", "a removed field")) == 1
    assert len(found("event", "a removed field")) == 1


def test_only_what_was_deprecated_before_is_taken_away() -> None:
    assert breaks({"x.event.y": BEFORE}, {}) == ["x.event.y: taken away without having been deprecated before"]
    assert breaks({"x.event.y": {**BEFORE, "deprecated": True}}, {}) == []
    assert breaks({}, {"x.event.new": BEFORE}) == []
