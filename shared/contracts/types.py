"""Field types that contracts share: a name, a shape, and the validator that guards it."""

from __future__ import annotations

import json
from typing import Annotated, Any

from marshmallow import ValidationError, validate

from shared.contracts.money import CURRENCIES, MAX_MINOR

UUID_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z"

Id = Annotated[str, validate.Regexp(UUID_PATTERN, error="Not a valid id.")]
"""A UUID in its canonical lower-case form."""

Timestamp = Annotated[
    str,
    validate.Regexp(
        r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z\Z", error="Not an RFC 3339 UTC time."
    ),
]
"""RFC 3339 in UTC with a `Z`."""

Currency = Annotated[str, validate.OneOf(sorted(CURRENCIES), error="Not a currency that is offered.")]

Amount = Annotated[
    str, validate.Regexp(r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,8})?\Z", error='Not a decimal string such as "10.00".')
]
"""A non-negative decimal string; how many decimals it may have depends on the currency (see `money.to_minor`)."""

Percent = Annotated[
    str, validate.Regexp(r"^(0|[1-9][0-9]{0,2})(\.[0-9]{1,2})?\Z", error='Not a percentage such as "2.50".')
]

Minor = Annotated[int, validate.Range(min=-MAX_MINOR, max=MAX_MINOR)]
"""Signed minor units."""

PositiveMinor = Annotated[int, validate.Range(min=1, max=MAX_MINOR)]
"""Minor units above zero."""

Name = Annotated[str, validate.Length(max=200)]

_METADATA_BYTES, _METADATA_LEVELS = 1024, 8


def _modest(value: dict[str, Any]) -> None:
    if len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()) > _METADATA_BYTES:
        raise ValidationError(f"Longer than {_METADATA_BYTES} bytes of JSON.")
    level: list[Any] = [value]
    for _ in range(_METADATA_LEVELS):
        level = [child for item in level for child in _children(item)]
        # PostgreSQL writes numbers without exponents: 1e300 would come back as 300 digits.
        if any(isinstance(n, int | float) and n and not 1e-15 <= abs(n) <= 2**53 for n in level):
            raise ValidationError("A number is out of range.")
    if level:
        raise ValidationError(f"More than {_METADATA_LEVELS} levels.")


def _children(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


Metadata = Annotated[dict[str, Any], _modest]
"""A client's own notes on a thing: a page of a hundred of them fits into one message."""
