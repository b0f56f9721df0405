"""Accounts and newest statement lines of one user, in one answer."""

from __future__ import annotations

from typing import cast

from billing.queries.accounts import list_accounts
from billing.queries.transactions import list_transactions
from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.chassis.views import first_pages
from shared.contracts.billing.rpc import BillingSummary


def summary(db: Database, caller: Context, *, limit: int) -> BillingSummary:
    """The caller's own, also for staff. Raises Unauthorized."""
    me = caller.require_user()
    accounts = list_accounts(db, caller, user_id=me, limit=limit, after=None)
    lines = list_transactions(
        db, caller, account_id=None, user_id=me, tx_type=None, status=None, limit=limit, after=None
    )
    return cast("BillingSummary", first_pages({"accounts": accounts, "recent_transactions": lines}))
