"""Buy a contract: asked, money held, bought.

Three commits: the PENDING trade here, the hold at billing, the OPEN trade here. Whatever breaks off in between
leaves a PENDING row, which the sweeper finishes (`reject_stale`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from shared.chassis import idempotency, outbox
from shared.chassis.context import Idempotency, current
from shared.chassis.database import Database
from shared.chassis.retry import run_again
from shared.contracts.billing.rpc import BillingRpc
from shared.contracts.errors import InProgress, MalformedRequest, ServiceError
from shared.contracts.trades.errors import TradeNotOpened, UserFrozen
from shared.contracts.trades.rpc import OpenTradeRequest, TradeAnswer
from shared.utils.ids import generate_transaction_id, new_id
from shared.utils.time import get_utc_now
from trades import copies, events
from trades.commands.ask_within_limits import ask_within_limits
from trades.commands.know_parties import Known, know_parties
from trades.commands.price_order import Order, price_order
from trades.market.port import Contract, Market
from trades.models import Trade, states
from trades.queries import view
from trades.rules import DIRECTION_OF, Conditions


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who asks, under which idempotency key, and the id that the trade would get."""

    user_id: str
    key: Idempotency
    correlation_id: str
    trade_id: str


def open_trade(
    request: OpenTradeRequest, *, db: Database, billing: BillingRpc, market: Market, conditions: Conditions
) -> TradeAnswer:
    """The open trade, or the one that this idempotency key opened before.

    Raises ValidationFailed, UserFrozen, AccountNotFound, NotReady, PriceMoved, TradingHalted, SelfExcluded,
    LimitReached, InsufficientFunds, TradeNotOpened, InProgress, IdempotencyMismatch; after DeadlineExceeded and
    ServiceUnavailable the same key tells the truth.
    """
    asked = _asked()
    with db.read() as tx:
        found = copies.parties(tx, user_id=asked.user_id, account_id=request.account_id, asked=asked.key)
        trade = None if found.seen is None else states.get(tx, found.seen)
    if trade is not None:
        return _again(trade, market)
    known = know_parties(user_id=asked.user_id, account_id=request.account_id, db=db, billing=billing, first=found)
    if known.user.is_frozen or not known.user.is_active:
        raise UserFrozen()
    now = get_utc_now()
    order = price_order(request, known=known, market=market, conditions=conditions, now=now)
    wanted = _pending(request, asked, known, order, conditions, now=now)
    trade = run_again(partial(_ask, wanted, asked, db))
    if trade.id != wanted.id or trade.status == "REJECTED":
        return _again(trade, market)
    _hold(trade, db, billing)
    contract = _buy(trade, order, db, billing, market)
    bought = _bought(trade, contract)
    run_again(partial(_confirm, bought, db, market))
    return TradeAnswer(trade=view(bought, spot=market.spot, now=contract.bought_at), replayed=False)


def _asked() -> Asked:
    context = current()
    user_id = context.require_user()
    if context.idempotency is None:
        raise MalformedRequest("Idempotency-Key is required")
    return Asked(user_id=user_id, key=context.idempotency, correlation_id=context.correlation_id, trade_id=new_id())


def _seen_before(tx: Connection, asked: Asked) -> Trade | None:
    trade_id = idempotency.find(tx, asked.user_id, asked.key)
    return None if trade_id is None else states.get(tx, trade_id)


def _again(trade: Trade, market: Market) -> TradeAnswer:
    if trade.status == "PENDING":
        raise InProgress()
    if trade.rejection is not None:
        raise ServiceError.from_body(trade.rejection)
    return TradeAnswer(trade=view(trade, spot=market.spot, now=get_utc_now()), replayed=True)


def _ask(wanted: Trade, asked: Asked, db: Database) -> Trade:
    """Writes the trade, or finds the one that has the key: another request's, or ours after a lost answer."""
    key = {"route": asked.key.route, "key": asked.key.key, "request_hash": asked.key.request_hash}
    if db.once(states.ASK_UNLIMITED, {**wanted.values(), **key}):
        return wanted
    with db.transaction() as tx:
        if idempotency.remember(tx, asked.user_id, asked.key, wanted.id):
            return ask_within_limits(tx, wanted)
    with db.read() as tx:
        found = _seen_before(tx, asked)
    if found is None:
        raise InProgress()
    return found


def _hold(trade: Trade, db: Database, billing: BillingRpc) -> None:
    try:
        billing.hold(
            hold_id=trade.id,
            account_id=trade.account_id,
            user_id=trade.user_id,
            amount=trade.held,
            currency=trade.currency,
        )
    except ServiceError as refusal:
        if refusal.status < 500:
            raise run_again(partial(_refused, trade, refusal, db)) from None
        # Whether the money is held is not known: the sweeper gives it back.
        raise


def _refused(trade: Trade, refusal: ServiceError, db: Database) -> ServiceError:
    """Writes the refusal down, and returns the one that counts: the sweeper's, if it was first."""
    with db.transaction() as tx:
        if states.reject(tx, [trade.id], refusal.to_body(), claimed=False, now=get_utc_now()):
            return refusal
        present = states.get(tx, trade.id)
    if present is None or present.rejection is None:
        return TradeNotOpened()
    return ServiceError.from_body(present.rejection)


def _buy(trade: Trade, order: Order, db: Database, billing: BillingRpc, market: Market) -> Contract:
    try:
        return market.buy(reference=trade.id, terms=order.terms, now=get_utc_now())
    except ServiceError as refusal:
        if refusal.status >= 500:
            # Whether it is bought is not known here, or the market will say something else soon: the sweeper asks it.
            raise
        billing.release(hold_id=trade.id, reason="not_opened")
        raise run_again(partial(_refused, trade, refusal, db)) from None


def _confirm(bought: Trade, db: Database, market: Market) -> None:
    if db.once(
        states.OPEN_AND_TELL, {**states.opening(bought), **outbox.values_of([events.opened(bought)])}, tells=True
    ):
        return
    with db.read() as tx:
        present = states.get(tx, bought.id)
    # The same contract is there when the answer to our own COMMIT was lost; else the sweeper was first.
    if present is None or present.contract_id != bought.contract_id:
        # It opens what the market remembers.
        sold = present is not None and present.status == "PENDING" and market.find(bought.id) is not None
        raise InProgress() if sold else TradeNotOpened()


def _pending(
    request: OpenTradeRequest, asked: Asked, known: Known, order: Order, conditions: Conditions, *, now: datetime
) -> Trade:
    terms = order.terms
    return Trade(
        id=asked.trade_id,
        user_id=asked.user_id,
        account_id=known.account.account_id,
        account_type=known.account.account_type,
        currency=terms.currency,
        symbol=terms.symbol,
        contract_type=terms.contract_type,
        direction=DIRECTION_OF[terms.contract_type],
        stake=terms.stake,
        markup_applied=order.markup,
        held=order.cost,
        potential_payout=order.payout,
        markup_percent=order.rate.percent,
        markup_source=order.rate.source,
        rule_id=order.rate.rule_id,
        rule_version=order.rate.rule_version,
        affiliate_id=known.user.referrer_id,
        code_id=known.user.code_id,
        proposal_id=request.proposal_id,
        barrier=terms.barrier,
        duration_seconds=terms.seconds,
        duration=terms.amount,
        duration_unit=terms.unit,
        opening_deadline=now + timedelta(seconds=conditions.opening_seconds),
        correlation_id=asked.correlation_id,
        created_at=now,
        updated_at=now,
    )


def _bought(trade: Trade, contract: Contract) -> Trade:
    # A market that sells for less than it asked is paid less; what was held for more is released with the settlement.
    return states.bought(
        trade,
        stake=contract.stake,
        potential_payout=contract.payout,
        contract_id=contract.contract_id,
        transaction_id=generate_transaction_id(),
        opened_at=contract.bought_at,
        starts_at=contract.starts_at,
        expires_at=contract.expires_at,
        opened_event_id=new_id(),
    )
