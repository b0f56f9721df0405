"""Decide once about every settled trade who has earned its markup."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from commission import events
from commission.models import Decision
from commission.models import decision as decisions
from commission.rules import verdict_on_trade
from shared.chassis import outbox
from shared.chassis.database import Database
from shared.contracts.envelope import Received
from shared.contracts.trades.events import TradeCancelled, TradeSettled
from shared.utils.ids import new_id


def decide_trades(db: Database, settled: Sequence[Received[TradeSettled | TradeCancelled]], *, now: datetime) -> None:
    """The affiliate of a REAL trade gets its whole markup, at the rate that the event says; else none is due.

    Raises Conflict for a trade that was decided from other facts, ValueError for an event that makes no sense.
    """
    news = [event for event in settled if not event.envelope.republished]
    told = [_decision(event) for event in news]
    causes = {one.award_id: event.envelope for one, event in zip(told, news, strict=True)}
    with db.transaction() as tx:
        given = decisions.write(tx, told, now=now)
        outbox.add_many(tx, [events.commission_accrued(one, causes[one.award_id]) for one in given])


def _decision(event: Received[TradeSettled | TradeCancelled]) -> Decision:
    trade = event.data
    verdict = verdict_on_trade(
        account_type=trade.account_type, user_id=trade.user_id, affiliate_id=trade.affiliate_id, markup=trade.markup
    )
    return Decision(
        subject_kind="trade",
        subject_id=trade.trade_id,
        user_id=trade.user_id,
        owner_id=trade.affiliate_id,
        currency=trade.currency,
        amount=trade.markup,
        due=verdict.due,
        reason=verdict.reason,
        award_id=new_id(),
        rule_id=trade.rule_id,
        rule_version=trade.rule_version,
        percent=trade.markup_percent,
        source=trade.markup_source,
        occurred_at=event.envelope.occurred_at,
    )
