from __future__ import annotations

import math

import pytest

from shared.chassis import wire


@pytest.mark.parametrize(
    "body",
    [
        '{"stake": NaN}',
        "[Infinity]",
        "[-Infinity]",
        "[1e999]",
        "[-1e999]",
        '{"a": 1, "a": 2}',
        '{"x": {"a": 1, "a": 1}}',
        "[" * 33 + "]" * 33,
        "[" * 2000 + "]" * 2000,
        '{"a":' * 2000 + "1" + "}" * 2000,
        "[" * 100_000,
        r'["\ud800"]',
        r'["\uDC00x"]',
        r'{"\u0000": 1}',
        r'["a\u0000b"]',
        "",
        "{",
        "{} x",
        "// comment",
        "['single']",
        "[1,]",
        "[01]",
        b"\xff\xfe[]",
        b"[\xc3]",
        "[" + "1" * 5000 + "]",
        '"' + "x" * wire.MAX_BYTES + '"',
    ],
)
def test_what_is_not_strict_json_is_refused(body: str | bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.loads(body)


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, {"a": [math.nan]}, object(), {1, 2}, "\ud800", "x" * 300_000]
)
def test_what_cannot_be_strict_json_is_not_written(value: object) -> None:
    with pytest.raises(wire.WireError):
        wire.dumps(value)


def test_a_tagged_object_stays_a_plain_dict() -> None:
    tagged = {"__type__": "decimal", "__value__": "NaN"}
    assert wire.loads(wire.dumps({"stake": tagged})) == {"stake": tagged}


@pytest.mark.parametrize(
    "value",
    [None, True, 0, -1, 2**63, 1.5, "", "é😀", "\\u0000", "\\ud800", [], {}, {"a": [{"b": None}] * 40}, [[[[[]]]]]],
)
def test_json_values_survive_the_round_trip(value: object) -> None:
    assert wire.loads(wire.dumps(value)) == value


def test_escaped_surrogate_pairs_are_one_character() -> None:
    assert wire.loads(r'["\ud83d\ude00"]') == ["😀"]


def test_the_deepest_allowed_document_passes_and_the_next_does_not() -> None:
    assert wire.loads("[" * wire.MAX_DEPTH + "]" * wire.MAX_DEPTH)
    with pytest.raises(wire.WireError, match="too deep"):
        wire.loads("[" * (wire.MAX_DEPTH + 1) + "]" * (wire.MAX_DEPTH + 1))


def test_brackets_in_text_do_not_count_as_depth() -> None:
    assert wire.loads(wire.dumps(["[" * 500])) == ["[" * 500]
