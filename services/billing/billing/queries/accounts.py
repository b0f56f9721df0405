"""Accounts: what is asked about them, and how they are shown. Somebody else's looks like none."""

from __future__ import annotations

from typing import Any, Final, cast

from sqlalchemy import Connection, RowMapping, text

from billing.queries.callers import whose
from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.chassis.pagination import Listing
from shared.contracts.billing.errors import AccountNotFound
from shared.contracts.billing.rpc import AccountPage, AccountTerms, AccountView
from shared.contracts.money import percent_text, to_text
from shared.utils.time import to_rfc3339

_ACCOUNT: Final = (
    "SELECT CAST(id AS text) AS id, CAST(user_id AS text) AS user_id, deriv_account_id, account_type, environment,"
    " currency, balance, held, floor, is_default, markup_percentage, metadata, terms_version, created_at, updated_at"
    " FROM accounts WHERE kind = 'client'"
)
_ONE_ACCOUNT = text(f"{_ACCOUNT} AND id = CAST(:id AS uuid)")
_DEMO_ACCOUNT = text(f"{_ACCOUNT} AND user_id = CAST(:user AS uuid) AND currency = :currency AND account_type = 'DEMO'")
_DEFAULT_ACCOUNT = text(f"{_ACCOUNT} AND user_id = CAST(:user AS uuid) AND is_default")
_OF_USER: Final = f"{_ACCOUNT} AND user_id = CAST(:user AS uuid)"
_IN_ORDER: Final = "ORDER BY is_default DESC, accounts.id DESC LIMIT :rows"
_FIRST_PAGE = text(f"{_OF_USER} {_IN_ORDER}")
_NEXT_PAGE = text(f"{_OF_USER} AND (is_default, id) < (:is_default, CAST(:id AS uuid)) {_IN_ORDER}")


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
    return account_view(_visible(db, caller, account_id))


def get_default_account(db: Database, caller: Context, user_id: str | None) -> AccountView:
    """The caller's own, for staff and the system also anybody's. Raises AccountNotFound, also for somebody else's."""
    if caller.kind != "system" or user_id is None:
        own = caller.require_user()
        if user_id not in (None, own) and not caller.is_staff:
            raise AccountNotFound()
        user_id = user_id or own
    with db.read() as tx:
        account = tx.execute(_DEFAULT_ACCOUNT, {"user": user_id}).mappings().one_or_none()
    if account is None:
        raise AccountNotFound()
    return account_view(account)


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
    owner = whose(caller, user_id) or caller.require_user()
    listing = Listing("accounts", caller.require_user(), {"user_id": owner})
    values: dict[str, Any] = {"user": owner, "rows": limit + 1}
    if after is not None:
        values["is_default"], values["id"] = listing.position(after)
    with db.read() as tx:
        rows = tx.execute(_FIRST_PAGE if after is None else _NEXT_PAGE, values).mappings().all()
    page = listing.page(rows, limit, position=lambda row: (row["is_default"], row["id"]), view=account_view)
    return cast("AccountPage", page)


def _visible(db: Database, caller: Context, account_id: str) -> RowMapping:
    is_system = caller.kind == "system"
    user_id = None if is_system else caller.require_user()
    with db.read() as tx:
        account = find_account(tx, account_id)
    if not (is_system or caller.is_staff or account["user_id"] == user_id):
        raise AccountNotFound()
    return account


def account_view(account: RowMapping) -> AccountView:
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
