"""Limits as they were asked for, in minor units."""

from __future__ import annotations

from dataclasses import fields

from shared.contracts.errors import FieldError, ValidationFailed
from shared.contracts.trades.limits import SetAccountLimitsRequest, SetSelfLimitsRequest
from trades.commands.price_order import amount
from trades.limits import COOL_DOWN_SECONDS, NAMES, NUMBERS, Limits
from trades.rules import Refused


def limits_asked_for(request: SetSelfLimitsRequest | SetAccountLimitsRequest, currency: str) -> Limits:
    """Raises ValidationFailed with every refused field."""
    errors: list[FieldError] = []
    values: dict[str, int | None] = {}
    for name in {item.name for item in fields(request)}.intersection(NAMES):
        given = getattr(request, name)
        try:
            values[name] = given if given is None or name in NUMBERS else amount(given, currency, name)
        except Refused as refused:
            errors.append(FieldError(field=refused.field, code=refused.code, message=refused.message))
    if values.get("consecutive_losses") is not None:
        values["cool_down_seconds"] = values["cool_down_seconds"] or COOL_DOWN_SECONDS
    elif values.get("cool_down_seconds") is not None:
        errors.append(
            FieldError(
                field="consecutive_losses", code="required", message="cool_down_seconds says how long they pause."
            )
        )
    if errors:
        raise ValidationFailed(errors=errors)
    return Limits(**values)
