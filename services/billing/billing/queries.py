"""What can be asked. Somebody else's account looks like none; a call without a person or the system is refused."""

from __future__ import annotations

from typing import Any, Final, cast

from sqlalchemy import Connection, RowMapping, text

from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.chassis.pagination import Listing
from shared.contracts.billing.errors import AccountNotFound
from shared.contracts.billing.rpc import AccountPage, AccountTerms, AccountView, TransactionPage, TransactionView
from shared.contracts.errors import Forbidden
from shared.contracts.money import percent_text, to_text
from shared.utils.time import to_rfc3339

_ACCOUNT: Final = (
    "SELECT CAST(id AS text) AS id, CAST(user_id AS text) AS user_id, deriv_account_id, account_type, environment,"
    " currency, balance, held, floor, is_default, markup_percentage, metadata, terms_version, created_at, updated_at"
    " FROM accounts WHERE kind = 'client'"
)
_LINE: Final = (
    "SELECT CAST(id AS text) AS id, CAST(user_id AS text) AS user_id, CAST(account_id AS text) AS account_id, tx_type,"
    " amount, currency, reference, status, balance_after, metadata, created_at FROM transactions"
)
_ONE_ACCOUNT = text(f"{_ACCOUNT} AND id = CAST(:id AS uuid)")
_DEMO_ACCOUNT = text(f"{_ACCOUNT} AND user_id = CAST(:user AS uuid) AND currency = :currency AND account_type = 'DEMO'")


def find_account(tx: Connection, account_id: str) -> RowMapping:
    """A client's account. Raises AccountNotFound."""
    account = tx.execute(_ONE_ACCOUNT, {"id": account_id}).mappings().one_or_none()
    if account is None:
        raise AccountNotFound()
    return account


def find_demo_account(tx: Connection, user_id: str, currency: str) -> RowMapping:
    """A user's demo account in a currency. Raises AccountNotFound."""
    account = tx.execute(_DEMO_ACCOUNT, {"user": user_id, "currency": currency}).mappings().one_or_none()
    if account is None:
        raise AccountNotFound()
    return account


def get_account(db: Database, caller: Context, account_id: str) -> AccountView:
    """Owner, staff and the system. Raises AccountNotFound."""
    return to_view(_visible(db, caller, account_id))


def account_terms(db: Database, caller: Context, account_id: str) -> AccountTerms:
    """What trades copies, for the owner, staff and the system. Raises AccountNotFound."""
    account = _visible(db, caller, account_id)
    return AccountTerms(
        account_id=account["id"],
        user_id=account["user_id"],
        account_type=account["account_type"],
        currency=account["currency"],
        markup_percentage=percent_text(account["markup_percentage"]),
        version=account["terms_version"],
    )


def list_accounts(db: Database, caller: Context, *, user_id: str | None, limit: int, after: str | None) -> AccountPage:
    """The default account first, then the newest. Raises Forbidden for somebody else's list."""
    owner = _whose(caller, user_id) or caller.require_user()
    listing = Listing("accounts", caller.require_user(), {"user_id": owner})
    where, values = "", {"user": owner, "rows": limit + 1}
    if after is not None:
        values["is_default"], values["id"] = listing.position(after)
        where = " AND (is_default, id) < (:is_default, CAST(:id AS uuid))"
    statement = (
        f"{_ACCOUNT} AND user_id = CAST(:user AS uuid){where} ORDER BY is_default DESC, accounts.id DESC LIMIT :rows"
    )
    with db.read() as tx:
        rows = tx.execute(text(statement), values).mappings().all()
    page = listing.page(rows, limit, position=lambda row: (row["is_default"], row["id"]), view=to_view)
    return cast("AccountPage", page)


def list_transactions(
    db: Database,
    caller: Context,
    *,
    account_id: str | None,
    user_id: str | None,
    tx_type: str | None,
    status: str | None,
    limit: int,
    after: str | None,
) -> TransactionPage:
    """Newest first; everybody's for staff who do not say whose.

    Raises AccountNotFound for somebody else's account, Forbidden for somebody else's list.
    """
    owner = _whose(caller, user_id)
    filters = {"account_id": account_id, "user_id": owner, "tx_type": tx_type, "status": status}
    listing = Listing("transactions", caller.require_user(), filters)
    conditions = [
        f"{name} = " + (f"CAST(:{name} AS uuid)" if name.endswith("_id") else f":{name}")
        for name, value in filters.items()
        # An account has one owner: naming him too would only tempt the planner to another index.
        if value is not None and not (name == "user_id" and account_id is not None)
    ]
    values: dict[str, Any] = {**filters, "rows": limit + 1}
    if after is not None:
        (values["id"],) = listing.position(after)
        conditions.append("id < CAST(:id AS uuid)")
    where = " WHERE " + " AND ".join(conditions) if conditions else ""
    statement = f"{_LINE}{where} ORDER BY transactions.id DESC LIMIT :rows"
    with db.read() as tx:
        if account_id is not None and owner not in (None, find_account(tx, account_id)["user_id"]):
            raise AccountNotFound()
        rows = tx.execute(text(statement), values).mappings().all()
    return cast("TransactionPage", listing.page(rows, limit, position=lambda row: (row["id"],), view=_line_view))


def _visible(db: Database, caller: Context, account_id: str) -> RowMapping:
    is_system = caller.kind == "system"
    user_id = None if is_system else caller.require_user()
    with db.read() as tx:
        account = find_account(tx, account_id)
    if not (is_system or caller.is_staff or account["user_id"] == user_id):
        raise AccountNotFound()
    return account


def _whose(caller: Context, user_id: str | None) -> str | None:
    """The user whose rows the caller may list, None for everybody's."""
    own = caller.require_user()
    if caller.is_staff:
        return user_id
    if user_id not in (None, own):
        raise Forbidden()
    return own


def to_view(account: RowMapping) -> AccountView:
    """The public form of an account."""
    currency = account["currency"]
    return AccountView(
        id=account["id"],
        user_id=account["user_id"],
        deriv_account_id=account["deriv_account_id"],
        account_type=account["account_type"],
        currency=currency,
        balance=to_text(account["balance"], currency),
        available=to_text(account["balance"] - account["held"] - account["floor"], currency),
        is_default=account["is_default"],
        markup_percentage=percent_text(account["markup_percentage"]),
        metadata=account["metadata"],
        created_at=to_rfc3339(account["created_at"]),
        updated_at=to_rfc3339(account["updated_at"]),
    )


def _line_view(line: RowMapping) -> TransactionView:
    currency, balance_after = line["currency"], line["balance_after"]
    return TransactionView(
        id=line["id"],
        user_id=line["user_id"],
        account_id=line["account_id"],
        tx_type=line["tx_type"],
        amount=to_text(line["amount"], currency),
        currency=currency,
        reference=line["reference"],
        status=line["status"],
        balance_after=None if balance_after is None else to_text(balance_after, currency),
        metadata=line["metadata"],
        created_at=to_rfc3339(line["created_at"]),
    )
