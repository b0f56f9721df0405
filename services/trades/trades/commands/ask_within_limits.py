"""Write down what is to be opened where something might limit it, in one commit with all that the limits count."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from shared.contracts.errors import ValidationFailed
from trades.commands.limit_refusals import halted, limit_refusals, stake_errors
from trades.limits import Order
from trades.models import Trade, standing, states


def ask_within_limits(tx: Connection, wanted: Trade) -> Trade:
    """The trade as it is written: PENDING, or REJECTED by the first limit that has too little left.

    Raises TradingHalted, and ValidationFailed when the stake itself is out of range: then nothing is written.
    """
    now = wanted.created_at
    found = standing.lock(tx, account_id=wanted.account_id, user_id=wanted.user_id, symbol=wanted.symbol, now=now)
    if found.halt is not None:
        raise halted(found.halt)
    order = Order(stake=wanted.stake, cost=wanted.held, payout=wanted.potential_payout)
    if errors := stake_errors(found.limits, order, wanted.currency):
        raise ValidationFailed(errors=errors)
    refusal = next(limit_refusals(found, order, currency=wanted.currency, now=now), None)
    written = wanted if refusal is None else replace(wanted, status="REJECTED", rejection={**refusal.to_body()})
    states.ask(tx, written)
    return written
