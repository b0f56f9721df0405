"""What may become of a trade. Each change names the state that it starts from, so that of two only one happens.

PENDING -> OPEN (not once the sweeper has claimed it) -> WON | LOST | CLOSED
PENDING -> REJECTED
OPEN | WON | LOST | CLOSED -> CANCELLED
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, insert, text

from shared.chassis import wire
from shared.chassis.database import wake_relay
from shared.chassis.outbox import TELL, Pending, values_of
from trades.models.tables import trades
from trades.models.trade import COLUMNS, NAMES, Trade

Place = tuple[datetime | None, str]
"""An end and an id."""
FIRST: Final[Place] = (datetime.min.replace(tzinfo=UTC), "00000000-0000-0000-0000-000000000000")
"""Before every trade."""

_GET = text(f"SELECT {COLUMNS} FROM trades WHERE id = CAST(:id AS uuid)")
_LOCK = text(f"SELECT {COLUMNS} FROM trades WHERE id = CAST(:id AS uuid) FOR UPDATE")
# The trade and its key in one statement, for an account that nothing limits; no row where anything stands in the way.
ASK_UNLIMITED: Final = text(
    "WITH taken AS (INSERT INTO idempotency (user_id, route, key, request_hash, subject_id)"
    " SELECT CAST(:user_id AS uuid), :route, :key, :request_hash, CAST(:id AS uuid)"
    " WHERE NOT is_limited(CAST(:account_id AS uuid), CAST(:user_id AS uuid), :symbol, :created_at)"
    " ON CONFLICT DO NOTHING RETURNING subject_id)"
    f" INSERT INTO trades ({', '.join(NAMES)}) SELECT {', '.join(f':{name}' for name in NAMES)} FROM taken"
    " RETURNING trades.id"
)
_OPEN_SQL: Final = (
    "UPDATE trades SET status = 'OPEN', stake = :stake, potential_payout = :potential_payout,"
    " contract_id = :contract_id, transaction_id = :transaction_id,"
    " opened_at = :opened_at, starts_at = :starts_at, expires_at = :expires_at, opened_event_id = :opened_event_id,"
    " updated_at = :opened_at, version = version + 1"
    " WHERE id = CAST(:id AS uuid) AND status = 'PENDING' AND (claimed_at IS NULL OR :claimed)"
)
_OPEN = text(_OPEN_SQL)
OPEN_AND_TELL: Final = text(
    f"WITH done AS ({_OPEN_SQL} RETURNING id), told AS ({TELL} WHERE EXISTS (SELECT FROM done)) SELECT id FROM done"
)
_REJECT = text(
    "UPDATE trades SET status = 'REJECTED', rejection = CAST(:rejection AS jsonb), updated_at = :now,"
    " version = version + 1"
    " WHERE id = ANY(CAST(:ids AS uuid[])) AND status = 'PENDING' AND (claimed_at IS NOT NULL) = :claimed"
)
_CLAIM = text(
    "WITH stale AS (SELECT id FROM trades WHERE status = 'PENDING' AND opening_deadline <= :now"
    " ORDER BY opening_deadline LIMIT :limit FOR UPDATE SKIP LOCKED)"
    " UPDATE trades SET claimed_at = COALESCE(claimed_at, :now) FROM stale WHERE trades.id = stale.id"
    f" RETURNING {COLUMNS}"
)
_WITHDRAW = text(
    "UPDATE trades SET claimed_at = COALESCE(claimed_at, :now) WHERE id = CAST(:id AS uuid)"
    f" AND user_id = CAST(:user_id AS uuid) AND status = 'PENDING' RETURNING {COLUMNS}"
)
_NEXT_DUE = text("SELECT expires_at FROM trades WHERE status = 'OPEN' ORDER BY expires_at LIMIT 1")
_DUE = text(
    f"SELECT {COLUMNS} FROM trades WHERE status = 'OPEN' AND expires_at <= :now"
    " AND (expires_at, id) > (CAST(:at AS timestamptz), CAST(:id AS uuid)) ORDER BY expires_at, id LIMIT :limit"
)
SETTLE_AND_TELL: Final = text(
    "WITH result AS (SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:statuses AS text[]), CAST(:reasons AS text[]),"
    " CAST(:payouts AS bigint[]), CAST(:profits AS bigint[]), CAST(:entries AS numeric[]), CAST(:exits AS numeric[]),"
    " CAST(:transactions AS text[]), CAST(:commissions AS numeric[]))"
    " AS r (id, status, reason, payout, profit, entry_spot, exit_spot, transaction_id, sold_commission)),"
    " mine AS (SELECT id FROM trades WHERE id = ANY(CAST(:ids AS uuid[])) AND status = 'OPEN' FOR UPDATE SKIP LOCKED),"
    " done AS (UPDATE trades SET status = r.status, reason = r.reason, payout = r.payout, profit = r.profit,"
    " entry_spot = r.entry_spot, exit_spot = r.exit_spot, transaction_id = r.transaction_id,"
    " sold_commission = r.sold_commission, closed_at = :now, updated_at = :now, version = version + 1"
    " FROM mine JOIN result r USING (id) WHERE trades.id = mine.id RETURNING trades.id),"
    f" told AS ({TELL} WHERE CAST(o.subject AS uuid) IN (SELECT id FROM done) ORDER BY o.id)"
    " SELECT CAST(id AS text) AS id FROM done"
)
"""Of `settlements`, with the events: those that somebody else has settled or is settling are left out of both."""

_VOID = text(
    "UPDATE trades SET status = 'CANCELLED', settled_status = :settled_status, settled_payout = :settled_payout,"
    " payout = :payout, profit = :profit, entry_spot = :entry_spot, closed_at = :closed_at,"
    " void_reason = :void_reason, voided_at = :voided_at, voided_by = CAST(:voided_by AS uuid),"
    " updated_at = :voided_at, version = version + 1"
    " WHERE id = CAST(:id AS uuid) AND status = COALESCE(:settled_status, 'OPEN')"
)


def ask(tx: Connection, trade: Trade) -> None:
    """Writes a PENDING trade."""
    tx.execute(insert(trades), trade.values())


def get(tx: Connection, trade_id: str) -> Trade | None:
    """The trade as it is."""
    row = tx.execute(_GET, {"id": trade_id}).mappings().one_or_none()
    return None if row is None else Trade.of(row)


def lock(tx: Connection, trade_id: str) -> Trade | None:
    """The trade, which nobody else can change until the transaction ends."""
    row = tx.execute(_LOCK, {"id": trade_id}).mappings().one_or_none()
    return None if row is None else Trade.of(row)


def opening(trade: Trade) -> dict[str, Any]:
    """The values of `OPEN_AND_TELL` but for the event. The sweeper, which has it claimed, may open it all the same."""
    return {**trade.values(), "claimed": trade.claimed_at is not None}


def open_(tx: Connection, trade: Trade) -> bool:
    """Writes the contract of a PENDING trade; False when it is not PENDING any more or the sweeper has claimed it."""
    return tx.execute(_OPEN, opening(trade)).rowcount == 1


def bought(trade: Trade, **contract: Any) -> Trade:
    """The OPEN trade that `open_` makes of a PENDING one."""
    return replace(trade, status="OPEN", version=trade.version + 1, updated_at=contract["opened_at"], **contract)


def reject(tx: Connection, ids: Sequence[str], rejection: Any, *, claimed: bool, now: datetime) -> int:
    """PENDING trades become REJECTED: those that the sweeper has claimed, or those that it has not. Says how many."""
    values = {"ids": list(ids), "rejection": wire.dumps(rejection).decode(), "claimed": claimed, "now": now}
    return tx.execute(_REJECT, values).rowcount


def claim_stale(tx: Connection, *, now: datetime, limit: int) -> list[Trade]:
    """Trades that are PENDING past their deadline, the oldest first: from here on only the sweeper can finish them."""
    claimed = [Trade.of(row) for row in tx.execute(_CLAIM, {"now": now, "limit": limit}).mappings()]
    return sorted(claimed, key=lambda trade: trade.id)


def withdraw(tx: Connection, trade_id: str, *, user_id: str, now: datetime) -> Trade | None:
    """A PENDING trade of a user, claimed as the sweeper does it; None when he has none such."""
    row = tx.execute(_WITHDRAW, {"id": trade_id, "user_id": user_id, "now": now}).mappings().one_or_none()
    return None if row is None else Trade.of(row)


def next_due(tx: Connection) -> datetime | None:
    """When the first of the open trades expires."""
    found: datetime | None = tx.execute(_NEXT_DUE).scalar_one_or_none()
    return found


def due(tx: Connection, *, now: datetime, after: Place, limit: int) -> list[Trade]:
    """Open trades that have expired, in the order of their ends and ids, from behind a place in it on."""
    at, id_ = after
    return [Trade.of(row) for row in tx.execute(_DUE, {"now": now, "at": at, "id": id_, "limit": limit}).mappings()]


def settled(trade: Trade, *, now: datetime, **result: Any) -> Trade:
    """The settled trade that `settle` makes of an OPEN one."""
    return replace(trade, closed_at=now, updated_at=now, version=trade.version + 1, **result)


def settlements(results: Sequence[Trade], *, now: datetime) -> dict[str, Any]:
    """The values of `SETTLE_AND_TELL` but for the events: settled trades, whose rows are still OPEN."""
    return {
        "ids": [trade.id for trade in results],
        "statuses": [trade.status for trade in results],
        "reasons": [trade.reason for trade in results],
        "payouts": [trade.payout for trade in results],
        "profits": [trade.profit for trade in results],
        "entries": [trade.entry_spot for trade in results],
        "exits": [trade.exit_spot for trade in results],
        "transactions": [trade.transaction_id for trade in results],
        "commissions": [trade.sold_commission for trade in results],
        "now": now,
    }


def settle(tx: Connection, results: Sequence[Trade], events: Sequence[Pending], *, now: datetime) -> set[str]:
    """OPEN trades get their results and are told of; returns the ids of those that were settled here."""
    found = tx.execute(SETTLE_AND_TELL, {**settlements(results, now=now), **values_of(events)})
    wake_relay(tx)
    return {str(row.id) for row in found}


def voided(trade: Trade, *, reason: str, by: str, entry: Decimal | None, now: datetime) -> Trade:
    """The CANCELLED trade that `void` makes of an OPEN one, which then ends now, or of a settled one."""
    return replace(
        trade,
        status="CANCELLED",
        settled_status=None if trade.status == "OPEN" else trade.status,
        settled_payout=trade.payout,
        payout=None,
        profit=0,
        entry_spot=entry,
        closed_at=trade.closed_at or now,
        void_reason=reason,
        voided_at=now,
        voided_by=by,
        updated_at=now,
        version=trade.version + 1,
    )


def void(tx: Connection, trade: Trade) -> None:
    """Writes a CANCELLED trade, which `lock` has given as it was before."""
    tx.execute(_VOID, trade.values())
