"""Terms as people ask for them become terms as they are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from referrals import rules
from shared.contracts.errors import FieldError, ValidationFailed
from shared.utils.time import from_rfc3339


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What needed a look; None where there is no limit or rate."""

    expires_at: datetime | None
    markup_percent: Decimal | None


def check_terms(
    *, expires_at: str | None, markup_percent: str | None, now: datetime, present_expiry: datetime | None = None
) -> Terms:
    """Raises ValidationFailed naming each refused field. An expiry that stays what it is may be over."""
    errors: list[FieldError] = []
    expiry: datetime | None = None
    try:
        expiry = None if expires_at is None else from_rfc3339(expires_at)
    except ValueError:
        errors.append(FieldError(field="expires_at", code="invalid", message="There is no such time."))
    if expiry is not None and expiry != present_expiry and expiry <= now:
        errors.append(FieldError(field="expires_at", code="in_the_past", message="Must be in the future."))
    rate = None if markup_percent is None else Decimal(markup_percent)
    if rate is not None and not rules.is_markup_allowed(rate):
        message = f"From 0 to {rules.MARKUP_MAX} percent."
        errors.append(FieldError(field="markup_percent", code="out_of_range", message=message))
    if errors:
        raise ValidationFailed(errors=errors)
    return Terms(expires_at=expiry, markup_percent=rate)
