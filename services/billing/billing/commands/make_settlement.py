"""What the result of a trade does to the books: a step of settling it, and of voiding it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from billing import ledger, rules
from shared.contracts.envelope import Received
from shared.contracts.trades.events import TradeCancelled, TradeSettled


def make_settlement(settled: Received[TradeSettled | TradeCancelled]) -> rules.LedgerTx:
    """The ledger transaction `settle`, the same one from whichever of the two events.

    Raises ValueError for amounts that make no sense.
    """
    trade = settled.data
    return rules.LedgerTx(
        kind="settle",
        ref=trade.trade_id,
        environment=rules.get_environment(trade.account_type),
        currency=trade.currency,
        correlation_id=settled.envelope.correlation_id,
        resolves=rules.Resolve(hold_id=trade.trade_id, account_id=trade.account_id, amount=trade.held),
        legs=make_legs(
            trade,
            rules.settle(stake=trade.stake, markup=trade.markup, payout=trade.payout, held=trade.held),
            metadata={"trade_id": trade.trade_id},
        ),
    )


def make_legs(
    trade: TradeSettled | TradeCancelled, movements: Iterable[rules.Movement], *, metadata: Mapping[str, Any]
) -> list[rules.Leg]:
    """A line on the trade's account and its counterpart at the house for each movement."""
    environment, client = rules.get_environment(trade.account_type), rules.Account(trade.account_id)
    legs: list[rules.Leg] = []
    for move in movements:
        legs += [
            rules.Leg(
                account=client,
                amount=move.amount,
                tx_type=move.tx_type,
                reference=trade.trade_id,
                metadata=metadata,
            ),
            rules.Leg(account=ledger.house(environment, trade.currency, move.purpose), amount=-move.amount),
        ]
    return legs
