"""Staff limit an account."""

from __future__ import annotations

from shared.chassis import outbox
from shared.chassis.context import current
from shared.chassis.database import Database
from shared.contracts.billing.rpc import BillingRpc
from shared.contracts.trades.limits import LimitsView, SetAccountLimitsRequest
from shared.utils.time import get_utc_now
from trades import events
from trades.commands.get_limits import limits_view
from trades.commands.know_account import know_account
from trades.commands.limits_asked_for import limits_asked_for
from trades.models import standing
from trades.rules import Conditions


def set_account_limits(
    request: SetAccountLimitsRequest, *, db: Database, billing: BillingRpc, conditions: Conditions
) -> LimitsView:
    """All the house's limits of the account from now on. What changes nothing is not told.

    Raises Forbidden, AccountNotFound, ValidationFailed.
    """
    staff_id = current().require_staff()
    account = know_account(account_id=request.account_id, db=db, billing=billing)
    wanted = limits_asked_for(request, account.currency)
    now = get_utc_now()
    named = {"account_id": account.account_id, "user_id": account.user_id}
    with db.transaction() as tx:
        before = after = standing.lock_to_change(tx, **named, now=now)
        if wanted != before.staff:
            version = standing.put(
                tx, account_id=account.account_id, set_by="staff", values=wanted, updated_by=staff_id, now=now
            )
            after = standing.read(tx, **named, now=now)
            told = events.limits_changed(before, after, currency=account.currency, set_by="staff", version=version)
            outbox.add_many(tx, [told])
    return limits_view(account, after, conditions, now=now)
