"""Give an account a markup of its own, or take it away."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import text

from billing import events, queries, rules
from shared.chassis import outbox
from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.contracts.billing.errors import AccountNotFound
from shared.contracts.billing.rpc import AccountView
from shared.contracts.errors import ValidationFailed
from shared.contracts.money import percent_text

_SET: Final = text("SELECT before, changed FROM account_set_markup(CAST(:id AS uuid), CAST(:percent AS numeric), :now)")


def set_account_markup(
    db: Database, caller: Context, *, account_id: str, markup_percentage: str | None, now: datetime
) -> AccountView:
    """For staff. The same value again changes and announces nothing.

    Raises Unauthorized, Forbidden, AccountNotFound, ValidationFailed above the maximum.
    """
    caller.require_staff()
    percent = None if markup_percentage is None else Decimal(markup_percentage)
    if percent is not None and not rules.is_markup_allowed(percent):
        raise ValidationFailed.of("markup_percentage", "too_large", f"At most {rules.MAX_MARKUP_PERCENT} percent.")
    with db.transaction() as tx:
        found = tx.execute(_SET, {"id": account_id, "percent": percent, "now": now}).one_or_none()
        if found is None:
            raise AccountNotFound()
        account = queries.find_account(tx, account_id)
        if found.changed:
            before = {"markup_percentage": percent_text(found.before)}
            outbox.add_many(tx, [events.make_account_updated(account, before, now)])
    return queries.account_view(account)
