"""What a market sold to whom, by reference, for one that cannot always answer: any process finds it again.

A purchase is a request with a key, so it is kept where such requests are. It is for a trade that is PENDING and not
claimed; whoever has claimed one and does not find its purchase can be sure that none comes any more.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text

from shared.chassis.database import Database
from shared.chassis.idempotency import NOBODY
from trades.market.port import Price, Terms
from trades.models import Trade
from trades.models.trade import COLUMNS

_ROUTE: Final = "market buy"
# The lock makes a claim wait for the purchase, or the purchase see the claim.
_BUY = text(
    "WITH asking AS (SELECT id FROM trades WHERE id = CAST(:reference AS uuid) AND status = 'PENDING'"
    " AND claimed_at IS NULL FOR UPDATE)"
    " INSERT INTO idempotency (user_id, route, key, request_hash, subject_id, created_at)"
    " SELECT CAST(:user_id AS uuid), :route, :reference, :request_hash, id, :now FROM asking ON CONFLICT DO NOTHING"
)
_FIND = text(
    f"SELECT i.created_at AS sold_at, t.* FROM idempotency AS i, LATERAL (SELECT {COLUMNS} FROM trades"
    " WHERE trades.id = i.subject_id) AS t"
    " WHERE i.user_id = CAST(:user_id AS uuid) AND i.route = :route AND i.key = :reference"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """The price is in the terms, as `quoted`."""

    terms: Terms
    at: datetime


class Book:
    """Its methods have transactions of their own: never call them inside one."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def buy(self, reference: str, terms: Terms, *, now: datetime) -> Purchase | None:
        """The first purchase under a reference, or None when its trade is given up."""
        asked = hashlib.sha256(repr(terms).encode()).hexdigest()
        values = {"user_id": NOBODY, "route": _ROUTE, "reference": reference, "request_hash": asked, "now": now}
        with self._db.transaction() as tx:
            tx.execute(_BUY, values)
        return self.find(reference)

    def find(self, reference: str) -> Purchase | None:
        """What was bought under a reference."""
        with self._db.read() as tx:
            row = tx.execute(_FIND, {"user_id": NOBODY, "route": _ROUTE, "reference": reference}).mappings().first()
        if row is None:
            return None
        trade = Trade.of({name: row[name] for name in row if name != "sold_at"})
        return Purchase(terms=_terms_of(trade), at=row["sold_at"])


def _terms_of(trade: Trade) -> Terms:
    return Terms(
        symbol=trade.symbol,
        contract_type=trade.contract_type,
        stake=trade.stake,
        currency=trade.currency,
        seconds=trade.duration_seconds,
        amount=trade.duration,
        unit=trade.duration_unit,
        barrier=trade.barrier,
        quoted=Price(stake=trade.stake, payout=trade.potential_payout),
    )
