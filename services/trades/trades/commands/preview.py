"""Everything about an opening but the opening: price, cost, who earns of it, what the limits have left, and why not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import cast

from shared.chassis.context import current
from shared.chassis.database import Database
from shared.contracts.billing.errors import InsufficientFunds
from shared.contracts.billing.rpc import BillingRpc
from shared.contracts.errors import DeadlineExceeded, ServiceError, ServiceUnavailable, ValidationFailed
from shared.contracts.money import percent_text, to_text
from shared.contracts.trades.errors import UserFrozen
from shared.contracts.trades.limits import PreviewRequest, PreviewView, RefusalView
from shared.utils.time import get_utc_now
from trades import limits
from trades.commands.get_limits import left_view
from trades.commands.know_parties import Known, know_parties
from trades.commands.limit_refusals import halted, limit_refusals, stake_errors
from trades.commands.price_order import Order, price_order
from trades.events import spot_text
from trades.market.port import Market
from trades.models import standing
from trades.models.standing import Standing
from trades.rules import DIRECTION_OF, Conditions


def preview(
    request: PreviewRequest, *, db: Database, billing: BillingRpc, market: Market, conditions: Conditions
) -> PreviewView:
    """What an opening would come to now. Raises ValidationFailed, AccountNotFound, NotReady."""
    user_id = current().require_user()
    known = know_parties(user_id=user_id, account_id=request.account_id, db=db, billing=billing)
    now = get_utc_now()
    order = price_order(request, known=known, market=market, conditions=conditions, now=now)
    terms = order.terms
    with db.read() as tx:
        found = standing.read(tx, account_id=request.account_id, user_id=user_id, symbol=terms.symbol, now=now)
    available = _available(request.account_id, billing)
    wanted = limits.Order(stake=terms.stake, cost=order.cost, payout=order.payout)
    money = partial(to_text, currency=terms.currency)
    earned = order.markup if known.account.account_type == "REAL" and known.user.referrer_id is not None else 0
    return PreviewView(
        account_id=request.account_id,
        account_type=known.account.account_type,
        symbol=terms.symbol,
        contract_type=terms.contract_type,
        direction=DIRECTION_OF[terms.contract_type],
        barrier=terms.barrier,
        duration_seconds=terms.seconds,
        currency=terms.currency,
        stake=money(terms.stake),
        payout=money(order.payout),
        markup=money(order.markup),
        markup_percent=cast("str", percent_text(order.rate.percent)),
        markup_source=order.rate.source,
        cost=money(order.cost),
        potential_profit=money(order.payout - order.cost),
        spot=cast("str", spot_text(order.spot)),
        affiliate_id=known.user.referrer_id,
        affiliate_commission=money(earned),
        house_markup=money(order.markup - earned),
        available=available,
        left=left_view(found.limits, limits.after(found.usage, wanted), terms.currency),
        refusals=[_shown(refusal) for refusal in _refusals(known, found, order, available, now=now)],
    )


def _available(account_id: str, billing: BillingRpc) -> str | None:
    try:
        return billing.get_account(account_id=account_id)["available"]
    except (ServiceUnavailable, DeadlineExceeded):
        return None


def _refusals(
    known: Known, found: Standing, order: Order, available: str | None, *, now: datetime
) -> Iterator[ServiceError]:
    """In the order in which an opening meets them."""
    currency = order.terms.currency
    wanted = limits.Order(stake=order.terms.stake, cost=order.cost, payout=order.payout)
    if known.user.is_frozen or not known.user.is_active:
        yield UserFrozen()
    if found.halt is not None:
        yield halted(found.halt)
    for error in stake_errors(found.limits, wanted, currency):
        yield ValidationFailed(error["message"])
    yield from limit_refusals(found, wanted, currency=currency, now=now)
    if available is not None and Decimal(available) < Decimal(to_text(order.cost, currency)):
        yield InsufficientFunds(f"{available} {currency} available")


def _shown(refusal: ServiceError) -> RefusalView:
    left = refusal.extra.get("left")
    return RefusalView(
        code=refusal.code,
        detail=refusal.detail,
        limit=refusal.extra.get("limit"),
        left=None if left is None else str(left),
        until=refusal.extra.get("until"),
    )
