"""From a trade to what others are told of it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal, TypedDict, cast

from shared.chassis.outbox import Pending
from shared.contracts.envelope import Envelope
from shared.contracts.money import percent_text
from shared.contracts.trades.events import (
    LimitsChanged,
    TradeCancelled,
    TradeOpened,
    TradeSettled,
    TradingHalted,
    TradingResumed,
)
from shared.utils.time import to_rfc3339
from trades.limits import NAMES
from trades.models import Trade
from trades.models.halts import Halt
from trades.models.standing import Standing
from trades.rules import CONTRACT_OF


class _Common(TypedDict):
    trade_id: str
    user_id: str
    account_id: str
    account_type: Literal["DEMO", "REAL"]
    currency: str
    symbol: str
    contract_type: Literal["CALL", "PUT"]
    stake: int
    held: int
    markup: int
    markup_percent: str
    markup_source: str
    rule_id: str | None
    rule_version: int | None
    affiliate_id: str | None
    code_id: str | None
    contract_id: str
    entry_spot: str | None
    opened_at: str
    expires_at: str
    barrier: str | None
    wins_ties: bool


def opened(trade: Trade) -> Pending:
    """`trade_opened`, under the id that the trade keeps to link its result to."""
    data = TradeOpened(**_common(trade), potential_payout=trade.potential_payout)
    return Pending(data=data, subject=trade.id, subject_version=trade.version, event_id=trade.opened_event_id)


def settled(trade: Trade, *, by_hand: bool = False) -> Pending:
    """`trade_settled`; caused by the opening, unless somebody did it: then by whatever he is doing."""
    data = TradeSettled(
        **_common(trade),
        payout=cast("int", trade.payout),
        status=cast("Literal['WON', 'LOST', 'CLOSED']", trade.status),
        reason=cast("Literal['expired', 'sold', 'staff']", trade.reason),
        exit_spot=spot_text(trade.exit_spot),
        closed_at=_time(trade.closed_at),
    )
    cause = None if by_hand else _opening(trade)
    return Pending(data=data, subject=trade.id, subject_version=trade.version, cause=cause)


def cancelled(trade: Trade) -> Pending:
    """`trade_cancelled`, caused by whatever the member of staff in the context is doing."""
    data = TradeCancelled(
        **_common(trade),
        payout=trade.settled_payout or 0,
        status="CANCELLED",
        reason=cast("str", trade.void_reason),
        settled=trade.settled_status is not None,
        exit_spot=spot_text(trade.exit_spot),
        closed_at=_time(trade.closed_at),
    )
    return Pending(data=data, subject=trade.id, subject_version=trade.version)


def limits_changed(
    before: Standing, after: Standing, *, currency: str, set_by: Literal["staff", "self"], version: int
) -> Pending:
    """`limits_changed`: what `set_by` has set anew, and what of it waits for its time."""
    was, is_ = (before.own, after.own) if set_by == "self" else (before.staff, after.staff)
    changed = [
        name
        for name in NAMES
        if getattr(was, name) != getattr(is_, name) or before.pending.get(name) != after.pending.get(name)
    ]
    excluded = ["self_exclusion_until"] if before.excluded_until != after.excluded_until else []
    data = LimitsChanged(
        account_id=after.account_id,
        user_id=after.user_id,
        currency=currency,
        set_by=set_by,
        changed=changed + excluded,
        before={name: getattr(was, name) for name in changed},
        after={name: getattr(is_, name) for name in changed},
        pending={name: {"value": item.value, "at": to_rfc3339(item.at)} for name, item in after.pending.items()},
        self_exclusion_until=None if after.excluded_until is None else to_rfc3339(after.excluded_until),
    )
    return Pending(data=data, subject=after.account_id, subject_version=version)


def halted(halt: Halt, *, by: str) -> Pending:
    """`trading_halted`."""
    data = TradingHalted(
        halt_id=halt.id, symbol=halt.symbol, reason=halt.reason, halted_by=by, halted_at=to_rfc3339(halt.since)
    )
    return Pending(data=data, subject=halt.id)


def resumed(halt: Halt, *, by: str, now: datetime) -> Pending:
    """`trading_resumed`."""
    data = TradingResumed(
        halt_id=halt.id,
        symbol=halt.symbol,
        resumed_by=by,
        halted_at=to_rfc3339(halt.since),
        resumed_at=to_rfc3339(now),
    )
    return Pending(data=data, subject=halt.id, subject_version=2)


def spot_text(spot: Decimal | None) -> str | None:
    """A price with all its decimals."""
    return None if spot is None else f"{spot:f}"


def _common(trade: Trade) -> _Common:
    side = CONTRACT_OF[trade.direction]
    return _Common(
        trade_id=trade.id,
        user_id=trade.user_id,
        account_id=trade.account_id,
        account_type=cast("Literal['DEMO', 'REAL']", trade.account_type),
        currency=trade.currency,
        symbol=trade.symbol,
        contract_type=cast("Literal['CALL', 'PUT']", side),
        stake=trade.stake,
        held=trade.held,
        markup=trade.markup_applied,
        markup_percent=cast("str", percent_text(trade.markup_percent)),
        markup_source=trade.markup_source,
        rule_id=trade.rule_id,
        rule_version=trade.rule_version,
        affiliate_id=trade.affiliate_id,
        code_id=trade.code_id,
        contract_id=cast("str", trade.contract_id),
        entry_spot=spot_text(trade.entry_spot),
        opened_at=_time(trade.opened_at),
        expires_at=_time(trade.expires_at),
        barrier=trade.barrier,
        wins_ties=trade.contract_type != side,
    )


def _opening(trade: Trade) -> Envelope:
    # Of the causing event only its id and correlation are used; the system, not the trader, settles.
    return Envelope(
        id=cast("str", trade.opened_event_id),
        type=TradeOpened.type,
        version=TradeOpened.version,
        source=TradeOpened.owner,
        subject=trade.id,
        subject_version=2,
        occurred_at=_time(trade.opened_at),
        correlation_id=trade.correlation_id,
        data={},
    )


def _time(at: datetime | None) -> str:
    return to_rfc3339(cast("datetime", at))
