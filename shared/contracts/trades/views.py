"""How quotes and trades look from outside: money, spots and percents as decimal strings, times as RFC 3339 in UTC."""

from __future__ import annotations

from typing import TypedDict


class QuoteView(TypedDict):
    """A price for a contract; `cost` = stake + markup.

    The market keeps stake and payout, or betters them, until `valid_until` for an opening on the same terms that names
    the `proposal_id`, unless it moves too far against them: then that is refused.
    """

    proposal_id: str
    account_id: str
    symbol: str
    contract_type: str
    direction: str
    barrier: str | None
    stake: str
    currency: str
    duration_seconds: int
    payout: str
    markup: str
    markup_percent: str
    cost: str
    spot: str
    valid_until: str


class TradeView(TypedDict):
    """A trade as the public API shows it; money and spots as decimal strings."""

    id: str
    user_id: str
    account_id: str
    account_type: str
    symbol: str
    contract_type: str
    direction: str
    barrier: str | None
    stake: str
    currency: str
    potential_payout: str
    payout: str | None
    profit: str | None
    markup_applied: str
    markup_percent: str
    markup_source: str
    commission_applied: str
    proposal_id: str | None
    transaction_id: str | None
    contract_id: str | None
    duration_seconds: int
    duration: int
    duration_unit: str
    entry_spot: str | None
    exit_spot: str | None
    opened_at: str | None
    expires_at: str | None
    closed_at: str | None
    status: str
    created_at: str
    updated_at: str


class TradesSummary(TypedDict):
    """What trades has to say at a glance, newest first."""

    open_trades: list[TradeView]
    recent_trades: list[TradeView]


class TradePage(TypedDict):
    """A page of trades, newest first."""

    results: list[TradeView]
    has_more: bool
    next: str | None


class TradeAnswer(TypedDict):
    """`replayed`: the idempotency key was seen before and this is the trade's present state."""

    trade: TradeView
    replayed: bool


class ValueView(TypedDict):
    """An open contract at the market's last tick: `bid` is what selling it would give, `profit` what that would make.

    `barrier` is the level that decides, once it is known. `refusal` says why it is not bought back now, or is null:
    `waiting_for_entry` (then there are no prices yet), `at_entry`, `ticks` (lengths in ticks never are), `too_late`,
    `expired` (`bid` is the result, which is about to be booked).
    """

    trade_id: str
    currency: str
    stake: str
    potential_payout: str
    bid: str | None
    profit: str | None
    spot: str | None
    spot_at: str | None
    entry_spot: str | None
    barrier: str | None
    refusal: str | None
    expires_at: str
    shortcode: str
    longcode: str
