"""Price a contract without buying it."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from shared.chassis.context import current
from shared.chassis.database import Database
from shared.contracts.billing.rpc import BillingRpc
from shared.contracts.money import percent_text, to_text
from shared.contracts.trades.rpc import QuoteRequest, QuoteView
from shared.utils.time import get_utc_now, to_rfc3339
from trades.commands.know_parties import know_parties
from trades.commands.price_order import price_order
from trades.events import spot_text
from trades.market import quotes
from trades.market.port import Market, Price
from trades.rules import DIRECTION_OF, Conditions


def quote(
    request: QuoteRequest, *, db: Database, billing: BillingRpc, market: Market, conditions: Conditions
) -> QuoteView:
    """What the contract costs and pays now; nothing is written, since the price is sealed in the proposal's id.

    Raises ValidationFailed, AccountNotFound, NotReady.
    """
    user_id = current().require_user()
    known = know_parties(user_id=user_id, account_id=request.account_id, db=db, billing=billing)
    now = get_utc_now()
    order = price_order(request, known=known, market=market, conditions=conditions, now=now)
    terms, currency = order.terms, order.terms.currency
    valid_until = now + timedelta(seconds=conditions.quote_seconds)
    return QuoteView(
        proposal_id=quotes.proposal_id_of(
            Price(stake=terms.stake, payout=order.payout),
            terms=terms,
            account_id=request.account_id,
            valid_until=valid_until,
            secret=conditions.secret,
        ),
        account_id=request.account_id,
        symbol=terms.symbol,
        contract_type=terms.contract_type,
        direction=DIRECTION_OF[terms.contract_type],
        barrier=terms.barrier,
        stake=to_text(terms.stake, currency),
        currency=currency,
        duration_seconds=terms.seconds,
        payout=to_text(order.payout, currency),
        markup=to_text(order.markup, currency),
        markup_percent=cast("str", percent_text(order.rate.percent)),
        cost=to_text(order.cost, currency),
        spot=cast("str", spot_text(order.spot)),
        valid_until=to_rfc3339(valid_until),
    )
