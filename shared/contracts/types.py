"""Field types that contracts share: a name, a shape, and the validator that guards it."""

from __future__ import annotations

from typing import Annotated

from marshmallow import validate

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
