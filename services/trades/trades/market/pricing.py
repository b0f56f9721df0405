"""What a contract costs, pays, and is worth on the way. Pure; probabilities as in `trades.rules`.

A cash-or-nothing option by Black and Scholes without rate or drift: it ends above K with probability N(d2),
d2 = ln(S/K)/(v√T) - v√T/2, T in years of 365 days. The price per unit of payout is that probability and what the house
adds; Deriv's published payouts follow with a commission of 0.012. Money is minor units, rounded half-up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from statistics import NormalDist
from typing import Final

from shared.settings.env import EnvConfig, SettingError
from trades.market.contracts import KINDS, barrier_of, strike_of, wins
from trades.market.engine import instant_of, tick_at
from trades.market.port import Contract, Price, Symbol, Terms, Value
from trades.rules import YEAR, Refused, payout_for, win_probability

_PLACES: Final = Decimal("1e-12")
_NORMAL: Final = NormalDist()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pricing:
    """What the house adds and allows.

    `commission` and `markup_percent` are shares of the payout that are inside the price; the second is Deriv's app
    markup, and 0 where markup is charged beside the stake. `tolerance` is the share of the commission by which a price
    may get worse and still be sold as quoted. In its last `resale_seconds` a contract is not bought back.
    """

    commission: Decimal = Decimal("0.012")
    markup_percent: Decimal = Decimal(0)
    tolerance: Decimal = Decimal("0.5")
    resale_seconds: int = 15

    def __post_init__(self) -> None:
        if not (0 <= self.commission < 1 and 0 <= self.markup_percent < 100 and 0 <= self.tolerance <= 1):
            raise ValueError("commission, markup and tolerance must be shares of one, of a hundred, and of one")
        if self.resale_seconds < 0:
            raise ValueError("resale seconds must not be negative")

    @property
    def added(self) -> Decimal:
        """What is added to the fair probability."""
        return self.commission + self.markup_percent / 100


def pricing_of(settings: EnvConfig) -> Pricing:
    """The house's from the settings. Raises SettingError."""
    house = Pricing()
    try:
        return Pricing(
            commission=Decimal(settings.get("MARKET_COMMISSION", f"{house.commission}")),
            markup_percent=Decimal(settings.get("MARKET_MARKUP_PERCENT", f"{house.markup_percent}")),
            tolerance=Decimal(settings.get("MARKET_TOLERANCE", f"{house.tolerance}")),
            resale_seconds=settings.get_int("MARKET_RESALE_SECONDS", house.resale_seconds),
        )
    except (InvalidOperation, ValueError) as error:
        raise SettingError(f"MARKET_COMMISSION and the settings beside it: {error}") from None


def probability(
    contract_type: str, *, symbol: Symbol, seconds: float, spot: Decimal | None = None, strike: Decimal | None = None
) -> Decimal:
    """Fair probability of winning, from `spot` against `strike`; without a strike: at the money.

    CALL and PUT at the money do not depend on the spot and need none. CALLE and PUTE have the probability of a tie
    besides: that the rounded price is the strike.
    """
    kind = KINDS[contract_type]
    if spot is None:
        if kind.wins_ties or strike is not None:
            raise ValueError("this probability depends on the spot")
        return win_probability("CALL" if kind.up else "PUT", sigma=symbol.sigma, seconds=int(seconds))
    level = spot if strike is None else strike
    if seconds <= 0:
        return Decimal(int(wins(contract_type, exit_=spot, strike=level)))
    spread = symbol.sigma * math.sqrt(seconds / YEAR)
    above = _above(spot, level, spread)
    fair = above if kind.up else 1 - above
    if kind.wins_ties:
        fair += _above(spot, level - symbol.pip / 2, spread) - _above(spot, level + symbol.pip / 2, spread)
    return Decimal(min(fair, 1.0)).quantize(_PLACES)


def _above(spot: Decimal, level: Decimal, spread: float) -> float:
    return _NORMAL.cdf(math.log(spot / level) / spread - spread / 2) if level > 0 else 1.0


def price(terms: Terms, *, symbol: Symbol, spot: Decimal | None, pricing: Pricing) -> Price:
    """The price of terms: the payout of a stake, or the stake for a payout.

    `spot` may be None where `needs_spot` says no. A payout at or below the stake offers no return: the caller refuses
    it. Raises Refused for a barrier that is wrong, or so far off that there is no price.
    """
    if spot is None and needs_spot(terms):
        raise ValueError("this price depends on the spot")
    barrier = barrier_of(terms.barrier, contract_type=terms.contract_type, symbol=symbol)
    strike = None if barrier is None or spot is None else barrier.at(spot)
    if strike is not None and strike <= 0:
        raise Refused("barrier", "out_of_range", "The barrier is at or below zero.")
    fair = probability(terms.contract_type, symbol=symbol, seconds=terms.seconds, spot=spot, strike=strike)
    asked = fair + pricing.added
    if asked <= 0:
        raise Refused("barrier", "out_of_range", "The barrier is too far away: this contract cannot win.")
    if terms.payout is not None:
        return Price(stake=_half_up(terms.payout * asked), payout=terms.payout)
    return Price(stake=terms.stake, payout=payout_for(terms.stake, probability=fair, commission=pricing.added))


def needs_spot(terms: Terms) -> bool:
    """Whether the price moves with the spot: with a barrier, or where a tie wins."""
    return terms.barrier is not None or KINDS[terms.contract_type].wins_ties


def agreed(quoted: Price, present: Price, *, pricing: Pricing) -> Price | None:
    """The price to sell at after a quote: the better of the two for the client, within the house's tolerance.

    None when the market has moved further against the quote than that, in cost per unit of payout.
    """
    moved = Decimal(present.stake) / present.payout - Decimal(quoted.stake) / quoted.payout
    if moved <= 0:
        return present
    return quoted if moved <= pricing.commission * pricing.tolerance else None


def value(
    contract: Contract, *, symbol: Symbol, entry: Decimal, spot: Decimal, now: datetime, pricing: Pricing
) -> Value:
    """What a contract is worth once it has its entry; `spot` is the last tick by now, or by its end.

    The bid is the payout times the fair probability less the commission; it stands still between two ticks. At the
    exit it is the result, also if that is the last tick a second before the end.
    """
    strike = strike_of(contract, symbol=symbol, entry=entry)
    spot_at = instant_of(symbol, *tick_at(symbol, min(now, contract.expires_at)))
    left = (contract.expires_at - spot_at).total_seconds()
    if left < symbol.interval:
        share = Decimal(int(wins(contract.contract_type, exit_=spot, strike=strike)))
    else:
        fair = probability(contract.contract_type, symbol=symbol, seconds=left, spot=spot, strike=strike)
        share = max(fair - pricing.commission, Decimal(0))
    return Value(
        bid=_half_up(contract.payout * share),
        spot=spot,
        spot_at=spot_at,
        entry_spot=entry,
        barrier=strike,
        commission=pricing.commission,
        refusal=_refusal(contract, spot_at=spot_at, now=now, last=max(pricing.resale_seconds, symbol.interval)),
    )


def _refusal(contract: Contract, *, spot_at: datetime, now: datetime, last: int) -> str | None:
    if now >= contract.expires_at:
        return "expired"
    if contract.unit == "t":
        return "ticks"
    if spot_at <= contract.starts_at:
        return "at_entry"
    return "too_late" if contract.expires_at - now <= timedelta(seconds=last) else None


def _half_up(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))
