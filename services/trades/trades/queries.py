"""What can be asked: a trade, a list of trades."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from functools import cache, partial
from typing import Protocol, cast

from sqlalchemy import Connection, TextClause, text

from shared.chassis.context import current
from shared.chassis.database import Database
from shared.chassis.pagination import Listing
from shared.chassis.views import Views, first_pages
from shared.contracts.errors import DeadlineExceeded, ServiceUnavailable, ValidationFailed
from shared.contracts.money import percent_text, to_text
from shared.contracts.trades.errors import TradeNotFound
from shared.contracts.trades.rpc import (
    GetTradeRequest,
    ListTradesRequest,
    SummaryRequest,
    TradePage,
    TradesSummary,
    TradeView,
)
from shared.utils.time import get_utc_now, to_rfc3339
from trades.models import Trade, states
from trades.models.trade import COLUMNS


class Spot(Protocol):
    """The market's last tick at an instant, or None while it lies ahead."""

    def __call__(self, symbol: str, *, at: datetime, now: datetime) -> Decimal | None: ...


def get_trade(request: GetTradeRequest, *, db: Database, spot: Spot) -> TradeView:
    """For its owner and staff. Raises TradeNotFound, also for others'."""
    asked = current()
    user_id = asked.require_user()
    with db.read() as tx:
        trade = states.get(tx, request.trade_id)
    if trade is None or not (asked.is_staff or trade.user_id == user_id):
        raise TradeNotFound()
    return view(trade, spot=spot, now=get_utc_now())


def list_trades(request: ListTradesRequest, *, db: Database, spot: Spot) -> TradePage:
    """Newest first; PENDING and REJECTED ones only when asked for. Staff see everybody's, or a user's."""
    asked = current()
    user_id = asked.require_user()
    owner = request.user_id if asked.is_staff else user_id
    if not asked.is_staff and request.user_id not in (None, user_id):
        raise ValidationFailed.of("user_id", "not_allowed", "Only staff may ask for somebody else's trades.")
    filters = {
        "user_id": owner,
        "account_id": request.account_id,
        "symbol": request.symbol,
        "status": request.status,
    }
    listing = Listing("trades", user_id, {name: value for name, value in filters.items() if value is not None})
    values = {
        **filters,
        "before": listing.position(request.after)[0] if request.after else None,
        "limit": request.limit + 1,
    }
    with db.read() as tx:
        rows = tx.execute(_page_of(frozenset(n for n, v in values.items() if v is not None)), values).mappings().all()
        page = _views.page(
            listing, rows, request.limit, position=lambda row: [row["id"]], fetch=partial(_some, tx, spot)
        )
    return cast("TradePage", page)


def summary(request: SummaryRequest, *, db: Database, spot: Spot) -> TradesSummary:
    """The first pages of the caller's open trades and of all his trades. Raises Unauthorized."""
    me = current().require_user()
    pages = {
        name: list_trades(ListTradesRequest(user_id=me, status=status, limit=request.limit), db=db, spot=spot)
        for name, status in (("open_trades", "OPEN"), ("recent_trades", None))
    }
    return cast("TradesSummary", first_pages(pages))


_COLUMN_OF = {
    "user_id": "user_id = CAST(:user_id AS uuid)",
    "account_id": "account_id = CAST(:account_id AS uuid)",
    "symbol": "symbol = :symbol",
    "status": "status = :status",
    "before": "id < CAST(:before AS uuid)",
}


# What may still show something else without being written: the entry of a trade that has just been opened.
_MARK = "CASE WHEN status = 'OPEN' THEN NULL ELSE CAST(xmin AS text) END AS mark"
_SOME = text(f"SELECT {_MARK}, {COLUMNS} FROM trades WHERE id = ANY(CAST(:ids AS uuid[]))")
_views = Views()


@cache
def _page_of(given: frozenset[str]) -> TextClause:
    # Ids are UUIDv7: their order is the order of creation.
    wanted = [condition for name, condition in _COLUMN_OF.items() if name in given]
    if "status" not in given:
        wanted.append("status NOT IN ('PENDING', 'REJECTED')")
    where = " AND ".join(wanted)
    return text(
        f"SELECT CAST(id AS text) AS id, {_MARK} FROM trades WHERE {where} ORDER BY trades.id DESC LIMIT :limit"
    )


def _some(tx: Connection, spot: Spot, ids: list[str]) -> Iterator[tuple[str, str | None, TradeView]]:
    now = get_utc_now()
    for row in tx.execute(_SOME, {"ids": ids}).mappings().all():
        trade = Trade.of({name: row[name] for name in row if name != "mark"})
        yield trade.id, row["mark"], view(trade, spot=spot, now=now)


def view(trade: Trade, *, spot: Spot, now: datetime) -> TradeView:
    """The public form. The entry of an open trade is the market's, once its instant has come."""
    entry = trade.entry_spot
    if entry is None and trade.status == "OPEN" and trade.starts_at is not None:
        # A market that cannot be reached keeps nobody from looking.
        with suppress(ServiceUnavailable, DeadlineExceeded):
            entry = spot(trade.symbol, at=trade.starts_at, now=now)
    money: Callable[[int], str] = lambda minor: to_text(minor, trade.currency)  # noqa: E731
    return TradeView(
        id=trade.id,
        user_id=trade.user_id,
        account_id=trade.account_id,
        account_type=trade.account_type,
        symbol=trade.symbol,
        contract_type=trade.contract_type,
        direction=trade.direction,
        barrier=trade.barrier,
        stake=money(trade.stake),
        currency=trade.currency,
        potential_payout=money(trade.potential_payout),
        payout=None if trade.payout is None else money(trade.payout),
        profit=None if trade.profit is None else money(trade.profit),
        markup_applied=money(trade.markup_applied),
        markup_percent=cast("str", percent_text(trade.markup_percent)),
        markup_source=trade.markup_source,
        commission_applied=money(trade.commission_applied),
        proposal_id=trade.proposal_id,
        transaction_id=trade.transaction_id,
        contract_id=trade.contract_id,
        duration_seconds=trade.duration_seconds,
        duration=trade.duration,
        duration_unit=trade.duration_unit,
        entry_spot=None if entry is None else f"{entry:f}",
        exit_spot=None if trade.exit_spot is None else f"{trade.exit_spot:f}",
        opened_at=_time(trade.opened_at),
        expires_at=_time(trade.expires_at),
        closed_at=_time(trade.closed_at),
        status=trade.status,
        created_at=to_rfc3339(trade.created_at),
        updated_at=to_rfc3339(trade.updated_at),
    )


def _time(at: datetime | None) -> str | None:
    return None if at is None else to_rfc3339(at)
