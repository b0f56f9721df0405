"""The only writer of entries. Every movement of money is a balanced ledger transaction, posted once for ever.

What must hold is kept by the database (migrations/sql): the service's role cannot write an entry but through the
function that is called here.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Row, text
from sqlalchemy.exc import DBAPIError

from billing.rules import Account, Environment, LedgerTx, Line, Posted, Purpose
from shared.contracts.billing.errors import AccountNotFound, HoldMismatch, InsufficientFunds, TransactionNotPending
from shared.contracts.errors import NotReady, ServiceError
from shared.utils.ids import new_id

# Room between two legs for those that debts add.
_STEP: Final = 8

# Derives the ids of our own accounts from what they are for, so that nobody has to look them up.
_OWN: Final = uuid.UUID("5e2f3a51-94f3-5c1c-9e0c-2f1f6b7f0a31")

_REFUSALS: Final[dict[str, tuple[type[ServiceError], str]]] = {
    "NX001": (HoldMismatch, "The reference was used with other contents."),
    "NX002": (AccountNotFound, ""),
    "NX003": (NotReady, "The hold has not come yet."),
    "NX004": (HoldMismatch, "The hold is resolved already, or has another account or amount."),
    "NX005": (NotReady, "The original has not come yet."),
    "NX006": (TransactionNotPending, ""),
    "accounts_floor": (InsufficientFunds, ""),
    "ledger_tx_reverses": (HoldMismatch, "The original is reversed already."),
}


@cache
def house(environment: Environment, currency: str, purpose: Purpose) -> Account:
    """The house's account for `purpose`: append-only, nobody waits for it."""
    return Account(_own_id("house", environment, currency, purpose), "house", environment, currency, purpose)


def payable(environment: Environment, currency: str, user_id: str) -> Account:
    """What we owe to an affiliate and have not paid yet: append-only."""
    return Account(_own_id("payable", environment, currency, user_id), "payable", environment, currency, owner=user_id)


def receivable(environment: Environment, currency: str, user_id: str) -> Account:
    """What a user owes to us: never above zero, locked like a client's account."""
    return Account(
        _own_id("receivable", environment, currency, user_id), "receivable", environment, currency, owner=user_id
    )


def _own_id(*name: str) -> str:
    return str(uuid.uuid5(_OWN, ":".join(name)))


_POST = text("SELECT * FROM ledger_post(CAST(:txs AS jsonb), CAST(:legs AS jsonb), :now)")


def post(tx: Connection, requests: Sequence[LedgerTx], *, now: datetime) -> list[Posted]:
    """Posts all of them or none, in their order, and answers in the same order; what is there already stays as it is.

    The database adds legs where a mirror takes more than is there, and where a credit meets a debt.

    Raises HoldMismatch (reference or hold used otherwise), AccountNotFound, InsufficientFunds, TransactionNotPending,
    and NotReady for a hold or an original that is still on its way. After any of them the database transaction must
    be rolled back.
    """
    if not requests:
        return []
    ids = [new_id() for _ in requests]
    values = {
        "txs": json.dumps([_request(id_, asked) for id_, asked in zip(ids, requests, strict=True)]),
        "legs": json.dumps(_legs(ids, requests)),
        "now": now,
    }
    try:
        rows = tx.execute(_POST, values).all()
    except DBAPIError as error:
        refusal = _refusal(error)
        if refusal is None:
            raise
        raise refusal from error
    found: dict[tuple[str, str], list[Row[Any]]] = {}
    for row in rows:
        found.setdefault((row.tx_kind, row.tx_ref), []).append(row)
    return [_posted(id_, asked, found[asked.kind, asked.ref]) for id_, asked in zip(ids, requests, strict=True)]


def _request(id_: str, asked: LedgerTx) -> dict[str, Any]:
    request: dict[str, Any] = {
        "id": id_,
        "kind": asked.kind,
        "ref": asked.ref,
        "hash": asked.fingerprint(),
        "environment": asked.environment,
        "currency": asked.currency,
        "correlation_id": asked.correlation_id,
    }
    if asked.resolves is not None:
        hold = asked.resolves
        request |= {"hold": hold.hold_id, "hold_account": hold.account_id, "hold_amount": hold.amount}
    if asked.reverses is not None:
        request["reverses_kind"], request["reverses_ref"] = asked.reverses
    if asked.completes is not None:
        request["completes"] = asked.completes
    if asked.debtor is not None:
        request["receivable"] = receivable(asked.environment, asked.currency, asked.debtor).id
        request["debtor"] = asked.debtor
    return request


def _legs(ids: Sequence[str], requests: Sequence[LedgerTx]) -> list[dict[str, Any]]:
    legs: list[dict[str, Any]] = []
    for id_, asked in zip(ids, requests, strict=True):
        for line, leg in enumerate(asked.legs, 1):
            account = leg.account
            row = {
                "n": len(legs) * _STEP,
                "tx": id_,
                "line": line,
                "environment": account.environment or asked.environment,
                "currency": account.currency or asked.currency,
                "account": account.id,
                "kind": account.kind,
                "amount": leg.amount,
            }
            if account.kind == "client":
                line_id = asked.completes or new_id()
                row |= {"tx_type": leg.tx_type, "line_id": line_id, "reference": leg.reference}
                row["metadata"] = dict(leg.metadata)
            else:
                row |= {"purpose": account.purpose, "owner": account.owner}
            legs.append(row)
    return legs


def _posted(id_: str, asked: LedgerTx, rows: Sequence[Row[Any]]) -> Posted:
    return Posted(
        id=str(rows[0].ledger_tx_id),
        kind=asked.kind,
        ref=asked.ref,
        environment=asked.environment,
        currency=asked.currency,
        correlation_id=asked.correlation_id,
        replayed=str(rows[0].ledger_tx_id) != id_,
        lines=tuple(
            Line(
                str(row.line_id),
                str(row.user_id),
                str(row.account_id),
                row.account_version,
                row.tx_type,
                row.amount,
                row.balance_after,
                row.reference,
            )
            for row in rows
            if row.line_id is not None
        ),
    )


def _refusal(error: DBAPIError) -> ServiceError | None:
    code = getattr(error.orig, "pgcode", None)
    constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    known = _REFUSALS.get(code or "") or _REFUSALS.get(constraint or "")
    return None if known is None else known[0](known[1])
