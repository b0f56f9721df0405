"""Statement lines: what is asked about them, and how they are shown."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from typing import Any, Final, cast

from sqlalchemy import Connection, RowMapping, TextClause, text

from billing.queries.accounts import find_account
from billing.queries.callers import whose
from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.chassis.pagination import Listing
from shared.chassis.views import Views
from shared.contracts.billing.errors import AccountNotFound, TransactionNotFound
from shared.contracts.billing.rpc import TransactionPage, TransactionView
from shared.contracts.money import to_text
from shared.utils.time import to_rfc3339

# A finished line never changes: its id is its version.
_MARK: Final = "CASE WHEN status = 'PENDING' THEN NULL ELSE '' END AS mark"
_KEY: Final = f"SELECT CAST(id AS text) AS id, {_MARK} FROM transactions"
_LINE: Final = (
    f"SELECT {_MARK}, CAST(id AS text) AS id, CAST(user_id AS text) AS user_id, CAST(account_id AS text) AS account_id,"
    " tx_type, amount, currency, reference, status, balance_after, metadata,"
    " CAST(ledger_tx_id AS text) AS ledger_tx_id, created_at FROM transactions"
)
_views: Final = Views()
_SOME_LINES = text(f"{_LINE} WHERE id = ANY(CAST(:ids AS uuid[]))")
_ONE_LINE = text(f"{_LINE} WHERE id = CAST(:id AS uuid)")
_LOCK_DEPOSIT = text("SELECT deposit_lock(CAST(:id AS uuid))")


def find_transaction(tx: Connection, transaction_id: str) -> RowMapping:
    """A statement line. Raises TransactionNotFound."""
    line = tx.execute(_ONE_LINE, {"id": transaction_id}).mappings().one_or_none()
    if line is None:
        raise TransactionNotFound()
    return line


def lock_deposit(tx: Connection, transaction_id: str) -> RowMapping:
    """A deposit to a REAL account, which nobody else decides on until `tx` ends. Raises TransactionNotFound."""
    if not tx.execute(_LOCK_DEPOSIT, {"id": transaction_id}).scalar_one():
        raise TransactionNotFound()
    return find_transaction(tx, transaction_id)


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
    owner = whose(caller, user_id)
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
    with db.read() as tx:
        if account_id is not None and owner not in (None, find_account(tx, account_id)["user_id"]):
            raise AccountNotFound()
        rows = tx.execute(_page_of(where), values).mappings().all()
        page = _views.page(listing, rows, limit, position=lambda row: (row["id"],), fetch=partial(_some, tx))
    return cast("TransactionPage", page)


@cache
def _page_of(where: str) -> TextClause:
    return text(f"{_KEY}{where} ORDER BY transactions.id DESC LIMIT :rows")


def _some(tx: Connection, ids: list[str]) -> Iterator[tuple[str, str | None, TransactionView]]:
    for line in tx.execute(_SOME_LINES, {"ids": ids}).mappings():
        yield line["id"], line["mark"], transaction_view(line)


def transaction_view(line: RowMapping) -> TransactionView:
    """The public form of a statement line."""
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
