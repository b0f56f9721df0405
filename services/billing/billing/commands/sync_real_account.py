"""The account here of an account at Deriv, opened or updated."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, text

from billing import copies, events, queries
from shared.chassis import idempotency, outbox
from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.contracts.billing.errors import AccountConflict
from shared.contracts.billing.rpc import RealAccountAnswer
from shared.contracts.errors import Forbidden, NotReady
from shared.utils.ids import new_id

_SYNC: Final = text(
    "SELECT CAST(account_id AS text) AS account_id, created, promoted, CAST(demoted AS text) AS demoted"
    " FROM account_sync(CAST(:id AS uuid), CAST(:user AS uuid), :deriv_account_id, :currency,"
    " CAST(:metadata AS jsonb), :is_default, :now)"
)


def sync_real_account(
    db: Database,
    caller: Context,
    *,
    deriv_account_id: str,
    currency: str,
    metadata: dict[str, Any] | None,
    is_default: bool | None,
    user_id: str | None,
    allow_unlinked: bool,
    now: datetime,
) -> RealAccountAnswer:
    """One REAL account per Deriv account, however many ask at once; `metadata` replace what was there.

    `is_default=True` moves the default here. False asks for nothing: somebody must be it, and it moves away only by
    being moved to another account. Raises Unauthorized, Forbidden (somebody else's; a trader himself where
    `allow_unlinked` is false; a frozen owner), NotReady (staff name a user not heard of), AccountConflict,
    IdempotencyMismatch.
    """
    own = caller.require_user()
    owner = user_id or own
    if not caller.is_staff and (owner != own or not allow_unlinked):
        raise Forbidden()
    asked = caller.idempotency
    values = {
        "id": new_id(),
        "user": owner,
        "deriv_account_id": deriv_account_id,
        "currency": currency,
        "metadata": None if metadata is None else json.dumps(metadata),
        "is_default": is_default,
        "now": now,
    }
    with db.transaction() as tx:
        seen = None if asked is None else idempotency.find(tx, own, asked)
        if seen is not None:
            return RealAccountAnswer(account=queries.account_view(queries.find_account(tx, seen)), created=False)
        _check_owner(tx, owner, is_caller=owner == own)
        synced = tx.execute(_SYNC, values).one()
        if synced.account_id is None:
            raise AccountConflict()
        account = queries.find_account(tx, synced.account_id)
        if asked is not None and not idempotency.remember(tx, own, asked, account["id"]):
            idempotency.find(tx, own, asked)
        news = []
        if synced.demoted is not None:
            demoted = queries.find_account(tx, synced.demoted)
            news.append(events.make_account_updated(demoted, {"is_default": True}, now))
        if synced.created:
            news.append(events.make_account_opened(account, now))
        elif synced.promoted:
            news.append(events.make_account_updated(account, {"is_default": False}, now))
        outbox.add_many(tx, news)
    return RealAccountAnswer(account=queries.account_view(account), created=synced.created)


def _check_owner(tx: Connection, owner: str, *, is_caller: bool) -> None:
    is_frozen = copies.is_frozen(tx, owner)
    if is_frozen is None and not is_caller:
        raise NotReady("This user has not been heard of here yet.")
    if is_frozen:
        raise Forbidden("This user is frozen.")
