"""From a settled trade to its proof: when somebody asks, and as samples for `verify`."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal, cast

from sqlalchemy import text

from shared.chassis.database import Database
from shared.contracts.trades.errors import NoProof, ProofNotReady
from shared.utils.time import to_rfc3339
from trades.market import verifier
from trades.market.engine import HOUR, at_second, hour_of
from trades.market.held import contract_of
from trades.market.proof import Settled, available_at, hours_of, proof_of
from trades.market.reveals import revealed
from trades.market.symbols import ALL
from trades.models import Trade
from trades.models.trade import COLUMNS

_RESULTS: Final[dict[str | None, Literal["won", "lost", "sold"]]] = {"WON": "won", "LOST": "lost", "CLOSED": "sold"}
_RECENT = text(
    f"SELECT {COLUMNS} FROM trades WHERE reason IN ('expired', 'sold') AND closed_at < :before"
    " ORDER BY id DESC LIMIT :limit"
)


def proof_of_trade(trade: Trade, *, db: Database, now: datetime) -> dict[str, Any]:
    """See `proof.proof_of`. A voided trade's is that of the result that it had.

    Raises NoProof when the market has not decided it and will not, ProofNotReady until the last hour is over.
    """
    if trade.contract_id is None or (trade.status != "OPEN" and trade.reason not in ("expired", "sold")):
        raise NoProof()
    contract, symbol = contract_of(trade), ALL[trade.symbol]
    sold_at = trade.closed_at if trade.reason == "sold" else None
    ready_at = available_at(contract, symbol=symbol, sold_at=sold_at)
    if now < ready_at or trade.status == "OPEN":
        raise ProofNotReady(extra={"available_at": to_rfc3339(ready_at)})
    hours = hours_of(contract, symbol=symbol, sold_at=sold_at)
    settled = Settled(
        result=_RESULTS[trade.settled_status or trade.status],
        entry_spot=cast("Decimal", trade.entry_spot),
        exit_spot=cast("Decimal", trade.exit_spot),
        paid=cast("int", trade.payout if trade.settled_payout is None else trade.settled_payout),
        sold_at=sold_at,
        commission=trade.sold_commission,
    )
    known = revealed(db, symbol=trade.symbol, first=hours[0], last=hours[-1], now=now)
    return proof_of(contract, settled, symbol=symbol, currency=trade.currency, hours=known, now=now)


def wrong_proofs(db: Database, *, now: datetime, limit: int) -> tuple[int, dict[str, str]]:
    """How many of the newest settled trades could be proved, and of those that do not come out right, why."""
    begun = at_second(hour_of(now) * HOUR)
    with db.read() as tx:
        trades = [Trade.of(row) for row in tx.execute(_RECENT, {"before": begun, "limit": limit}).mappings()]
    wrong, checked = {}, 0
    for trade in trades:
        try:
            faults, _ = verifier.verify(proof_of_trade(trade, db=db, now=now))
        except ProofNotReady:
            continue
        except (NoProof, ValueError) as error:
            faults = [str(error)]
        checked += 1
        if faults:
            wrong[trade.id] = " ".join(faults)
    return checked, wrong
