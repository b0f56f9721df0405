"""An account that its owner or staff name: from the copies, or asked of billing when it has not been heard of."""

from __future__ import annotations

from shared.chassis.context import current
from shared.chassis.database import Database
from shared.contracts.billing.errors import AccountNotFound
from shared.contracts.billing.rpc import BillingRpc
from trades import copies
from trades.models.copied import Account


def know_account(*, account_id: str, db: Database, billing: BillingRpc, for_staff: bool = True) -> Account:
    """The account of the caller, or for staff anybody's; without `for_staff` theirs alone, too.

    Raises Unauthorized, AccountNotFound, also for somebody else's, and what asking billing raises.
    """
    asked = current()
    user_id = asked.require_user()
    with db.read() as tx:
        account = copies.parties(tx, user_id=user_id, account_id=account_id).account
    if account is None:
        terms = billing.account_terms(account_id=account_id)
        with db.transaction() as tx:
            copies.put_answer(tx, terms)
            account = copies.parties(tx, user_id=user_id, account_id=account_id).account
    if account is None or not (account.user_id == user_id or (for_staff and asked.is_staff)):
        raise AccountNotFound()
    return account
