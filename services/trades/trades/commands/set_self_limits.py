"""A trader limits himself: stricter at once, looser in a day, shut out for as long as he said."""

from __future__ import annotations

from datetime import datetime

from shared.chassis import outbox
from shared.chassis.context import current
from shared.chassis.database import Database
from shared.contracts.billing.rpc import BillingRpc
from shared.contracts.errors import ValidationFailed
from shared.contracts.trades.limits import LimitsView, SetSelfLimitsRequest
from shared.utils.time import from_rfc3339, get_utc_now, to_rfc3339
from trades import events, limits
from trades.commands.get_limits import limits_view
from trades.commands.know_account import know_account
from trades.commands.limits_asked_for import limits_asked_for
from trades.models import standing
from trades.rules import Conditions


def set_self_limits(
    request: SetSelfLimitsRequest, *, db: Database, billing: BillingRpc, conditions: Conditions
) -> LimitsView:
    """All limits that the owner wants from now on. What changes nothing is not told.

    Raises AccountNotFound, ValidationFailed (an amount that is none, a pause without losses, a shorter exclusion).
    """
    account = know_account(account_id=request.account_id, db=db, billing=billing, for_staff=False)
    now = get_utc_now()
    wanted, until = limits_asked_for(request, account.currency), _until(request, now)
    named = {"account_id": account.account_id, "user_id": account.user_id}
    with db.transaction() as tx:
        before = standing.lock_to_change(tx, **named, now=now)
        if until is not None and before.excluded_until is not None and until < before.excluded_until:
            still = to_rfc3339(before.excluded_until)
            raise ValidationFailed.of("self_exclusion_until", "too_early", f"You are excluded until {still} already.")
        own, pending = limits.change(before.own, before.pending, wanted, now)
        changed = (own, pending) != (before.own, before.pending) or until not in (None, before.excluded_until)
        if changed:
            version = standing.put(
                tx,
                account_id=account.account_id,
                set_by="self",
                values=own,
                pending=pending,
                updated_by=current().require_user(),
                now=now,
            )
            if until is not None:
                standing.exclude(tx, user_id=account.user_id, until=until, now=now)
        after = standing.read(tx, **named, now=now)
        if changed:
            told = events.limits_changed(before, after, currency=account.currency, set_by="self", version=version)
            outbox.add_many(tx, [told])
    return limits_view(account, after, conditions, now=now)


def _until(request: SetSelfLimitsRequest, now: datetime) -> datetime | None:
    if request.self_exclusion_until is None:
        return None
    try:
        until = from_rfc3339(request.self_exclusion_until)
    except ValueError:
        raise ValidationFailed.of("self_exclusion_until", "invalid", "There is no such time.") from None
    if not now < until <= now + limits.LONGEST_EXCLUSION:
        raise ValidationFailed.of("self_exclusion_until", "out_of_range", "Between now and five years from now.")
    return until
