"""How an account stands with its limits.

Openings on an account that is limited wait for each other at its rows in `account_limits`; what they have counted is
then committed, so that each sees all before it. Other accounts are never asked about here (see `is_limited`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, text

from shared.chassis import wire
from shared.utils.time import from_rfc3339, to_rfc3339
from trades import limits
from trades.limits import Limits, Loosening, Pending, Usage
from trades.models.halts import EVERYTHING, Halt


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Both sets of limits as they are now, what is counted, and what shuts the trader out."""

    account_id: str
    user_id: str
    staff: Limits
    own: Limits
    pending: Pending
    usage: Usage
    excluded_until: datetime | None
    halt: Halt | None

    @property
    def limits(self) -> Limits:
        """Whatever is stricter of both."""
        return limits.stricter(self.staff, self.own)


_NAMES: Final = ", ".join(limits.NAMES)
_LIMITS: Final = (
    f"SELECT set_by, pending, version, {_NAMES} FROM account_limits WHERE account_id = CAST(:account_id AS uuid)"
    " ORDER BY set_by"
)
_READ = text(_LIMITS)
# Openings queue here behind each other's commits: a wait that moves on, for which the usual bound would be too short.
_LOCK = text(f"SET LOCAL lock_timeout = '1200ms'; {_LIMITS} FOR UPDATE")
_COUNTED = text(
    "SELECT CAST(coalesce(sum(open_trades), 0) AS bigint) AS open_trades,"
    " CAST(coalesce(sum(at_risk), 0) AS bigint) AS at_risk,"
    " coalesce(max(staked) FILTER (WHERE day = :day), 0) AS staked,"
    " coalesce(max(profit) FILTER (WHERE day = :day), 0) AS profit,"
    " (SELECT until FROM self_exclusions WHERE user_id = CAST(:user_id AS uuid) AND until > :now) AS excluded_until,"
    " (SELECT jsonb_build_array(id, symbol, reason, halted_at) FROM halts WHERE resumed_at IS NULL"
    f" AND symbol IN ('{EVERYTHING}', :symbol) ORDER BY symbol LIMIT 1) AS halt"
    " FROM account_days WHERE account_id = CAST(:account_id AS uuid)"
)
_RESULTS = text(
    "SELECT profit, closed_at FROM trades WHERE account_id = CAST(:account_id AS uuid)"
    " AND status IN ('WON', 'LOST', 'CLOSED') ORDER BY closed_at DESC, id DESC LIMIT :results"
)
_KNOWN = text("SELECT 1 FROM account_copies WHERE account_id = CAST(:account_id AS uuid) FOR NO KEY UPDATE")
_PUT = text(
    f"INSERT INTO account_limits (account_id, set_by, pending, version, updated_by, updated_at, {_NAMES})"
    " VALUES (CAST(:account_id AS uuid), :set_by, CAST(:pending AS jsonb),"
    " (SELECT coalesce(max(version), 0) + 1 FROM account_limits WHERE account_id = CAST(:account_id AS uuid)),"
    f" CAST(:updated_by AS uuid), :now, {', '.join(f':{name}' for name in limits.NAMES)})"
    " ON CONFLICT (account_id, set_by) DO UPDATE SET pending = excluded.pending, version = excluded.version,"
    " updated_by = excluded.updated_by, updated_at = excluded.updated_at,"
    f" {', '.join(f'{name} = excluded.{name}' for name in limits.NAMES)}"
    " RETURNING version"
)
_EXCLUDE = text(
    "INSERT INTO self_exclusions AS mine (user_id, until, updated_at) VALUES (CAST(:user_id AS uuid), :until, :now)"
    " ON CONFLICT (user_id) DO UPDATE SET until = excluded.until, updated_at = excluded.updated_at"
    " WHERE excluded.until > mine.until"
)


def read(tx: Connection, *, account_id: str, user_id: str, symbol: str | None = None, now: datetime) -> Standing:
    """How an account stands; `user_id` is its owner. A halt is looked for of all symbols, and of `symbol`."""
    return _standing(tx, _READ, account_id=account_id, user_id=user_id, symbol=symbol, now=now)


def lock(tx: Connection, *, account_id: str, user_id: str, symbol: str | None, now: datetime) -> Standing:
    """The same; until the transaction ends no other opening of a limited account gets this far."""
    return _standing(tx, _LOCK, account_id=account_id, user_id=user_id, symbol=symbol, now=now)


def lock_to_change(tx: Connection, *, account_id: str, user_id: str, now: datetime) -> Standing:
    """The same, and nobody else changes the account's limits until the transaction ends."""
    tx.execute(_KNOWN, {"account_id": account_id})
    return _standing(tx, _READ, account_id=account_id, user_id=user_id, symbol=None, now=now)


def put(
    tx: Connection,
    *,
    account_id: str,
    set_by: str,
    values: Limits,
    pending: Pending | None = None,
    updated_by: str,
    now: datetime,
) -> int:
    """Writes what `staff` or `self` set, under `lock_to_change`; returns the account's new version of its limits."""
    waiting = {name: {"value": item.value, "at": to_rfc3339(item.at)} for name, item in (pending or {}).items()}
    row = {
        **{name: getattr(values, name) for name in limits.NAMES},
        "account_id": account_id,
        "set_by": set_by,
        "pending": wire.dumps(waiting).decode(),
        "updated_by": updated_by,
        "now": now,
    }
    return int(tx.execute(_PUT, row).scalar_one())


def exclude(tx: Connection, *, user_id: str, until: datetime, now: datetime) -> None:
    """Shuts a trader out; what is later already stays."""
    tx.execute(_EXCLUDE, {"user_id": user_id, "until": until, "now": now})


def _standing(
    tx: Connection, limits_of: Any, *, account_id: str, user_id: str, symbol: str | None, now: datetime
) -> Standing:
    rows = {row["set_by"]: row for row in tx.execute(limits_of, {"account_id": account_id}).mappings()}
    # A statement of its own, after the lock: it sees what has been committed meanwhile.
    asked = {"account_id": account_id, "user_id": user_id, "symbol": symbol, "day": now.date(), "now": now}
    counted = tx.execute(_COUNTED, asked).mappings().one()
    own, pending = limits.matured(_limits(rows.get("self")), _pending(rows.get("self")), now)
    usage = Usage(**{name: counted[name] for name in ("open_trades", "at_risk", "staked", "profit")})
    if own.consecutive_losses is not None:
        usage = _with_losses(tx, usage, account_id, own.consecutive_losses)
    return Standing(
        account_id=account_id,
        user_id=user_id,
        staff=_limits(rows.get("staff")),
        own=own,
        pending=pending,
        usage=usage,
        excluded_until=counted["excluded_until"],
        halt=_halt(counted["halt"]),
    )


def _with_losses(tx: Connection, usage: Usage, account_id: str, most: int) -> Usage:
    results = tx.execute(_RESULTS, {"account_id": account_id, "results": most}).all()
    in_row = next((n for n, result in enumerate(results) if result.profit >= 0), len(results))
    return replace(usage, losses_in_row=in_row, last_loss_at=results[0].closed_at if in_row else None)


def _limits(row: RowMapping | None) -> Limits:
    return Limits() if row is None else Limits(**{name: row[name] for name in limits.NAMES})


def _pending(row: RowMapping | None) -> Pending:
    found = {} if row is None else row["pending"]
    return {name: Loosening(value=item["value"], at=from_rfc3339(item["at"])) for name, item in found.items()}


def _halt(found: list[str] | None) -> Halt | None:
    if found is None:
        return None
    id_, symbol, reason, since = found
    return Halt.of(id_, symbol, reason, from_rfc3339(since))
