"""Arithmetic and decisions of a trade: standard library only, no clock, no database.

Money is `int` minor units. The one float is the probability that a contract pays: it is rounded to 12 places
and then used as a Decimal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from statistics import NormalDist
from typing import Final

YEAR: Final = 365 * 86_400
"""Seconds of the year that volatilities are stated for."""
LONGEST: Final = YEAR
MOST_TICKS: Final = 10
HIGHEST_PERCENT: Final = 5
"""No setting raises a markup above this."""
DIRECTION_OF: Final = {"CALL": "RISE", "PUT": "FALL", "CALLE": "RISE", "PUTE": "FALL"}
CONTRACT_OF: Final = {"RISE": "CALL", "FALL": "PUT"}

_UNIT_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_PROBABILITY_PLACES: Final = Decimal("1e-12")
_NORMAL: Final = NormalDist()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What the house sets. Amounts are in whole units of the account's currency, percents of the payout.

    `secret` seals the prices of quotes.
    """

    stake_min: Decimal = Decimal("0.35")
    payout_max: Decimal = Decimal(50_000)
    platform_percent: Decimal = Decimal(0)
    percent_max: Decimal = Decimal(3)
    quote_seconds: int = 15
    opening_seconds: int = 5
    secret: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.platform_percent <= self.percent_max <= HIGHEST_PERCENT:
            raise ValueError(f"0 <= platform percent <= maximum <= {HIGHEST_PERCENT} must hold")


class Refused(ValueError):
    """A field that breaks a rule: `field`, a machine-readable `code`, and a sentence for people."""

    def __init__(self, field: str, code: str, message: str) -> None:
        super().__init__(message)
        self.field, self.code, self.message = field, code, message


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """How long a contract runs: as it was asked for, and in seconds."""

    seconds: int
    amount: int
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """The effective markup percent and where it came from; a rule's id and version when a rule gave it."""

    percent: Decimal
    source: str
    rule_id: str | None = None
    rule_version: int | None = None


def contract_type(*, contract_type: str | None, direction: str | None) -> str:
    """From either name of it; a direction alone means CALL or PUT. Raises Refused when none is given or they differ."""
    if contract_type is None and direction is None:
        raise Refused("contract_type", "required", "Give contract_type or direction.")
    if contract_type is None or direction is None:
        return contract_type or CONTRACT_OF[str(direction)]
    if DIRECTION_OF[contract_type] != direction:
        raise Refused("direction", "contradiction", f"{contract_type} is {DIRECTION_OF[contract_type]}.")
    return contract_type


def duration(*, seconds: int | None, amount: int | None, unit: str | None, tick: int) -> Duration:
    """The contract's length; `tick` is the symbol's tick interval in seconds.

    Raises Refused when no form is complete, both are given and differ, it is shorter than a tick or longer than
    365 days, or has more than ten ticks.
    """
    if (amount is None) != (unit is None):
        missing = "duration" if amount is None else "duration_unit"
        raise Refused(missing, "required", "duration and duration_unit go together.")
    if amount is None or unit is None:
        if seconds is None:
            raise Refused("duration_seconds", "required", "Give duration_seconds, or duration with duration_unit.")
        return _offered(Duration(seconds=seconds, amount=seconds, unit="s"), "duration_seconds", tick)
    if unit == "t" and amount > MOST_TICKS:
        raise Refused("duration", "not_offered", f"Number of ticks must be between 1 and {MOST_TICKS}.")
    length = Duration(seconds=amount * (tick if unit == "t" else _UNIT_SECONDS[unit]), amount=amount, unit=unit)
    if seconds not in (None, length.seconds):
        raise Refused("duration_seconds", "contradiction", f"{amount}{unit} are {length.seconds} seconds.")
    return _offered(length, "duration", tick)


def _offered(length: Duration, field: str, tick: int) -> Duration:
    if length.seconds < tick:
        raise Refused(field, "too_short", f"The shortest duration is one tick of {tick} s.")
    if length.seconds > LONGEST:
        raise Refused(field, "too_long", "The longest duration is 365 days.")
    return length


def win_probability(contract_type: str, *, sigma: float, seconds: int) -> Decimal:
    """Fair probability that a Rise or Fall wins, ties aside: N(∓v√T/2), T in years of 365 days.

    A cash-or-nothing option at the money under Black and Scholes without rate or drift.
    """
    half = sigma * math.sqrt(seconds / YEAR) / 2
    return Decimal(_NORMAL.cdf(-half if contract_type == "CALL" else half)).quantize(_PROBABILITY_PLACES)


def payout_for(stake: int, *, probability: Decimal, commission: Decimal) -> int:
    """What a stake wins, half-up to the minor unit: Deriv's stake / (p + c)."""
    return _half_up(stake / (probability + commission))


def markup_of(payout: int, percent: Decimal) -> int:
    """The markup: a percentage of the payout, half-up to the minor unit."""
    return _half_up(payout * percent / 100)


def effective_rate(
    *,
    account: Decimal | None,
    code: Decimal | None = None,
    rule: Rate | None = None,
    affiliate: Decimal | None,
    platform: Decimal,
    maximum: Decimal,
) -> Rate:
    """The first of account, code, rule, affiliate and platform that says anything, at most `maximum` percent."""
    if account is not None:
        return Rate(percent=min(account, maximum), source="account")
    if code is not None:
        return Rate(percent=min(code, maximum), source="code")
    if rule is not None:
        return Rate(
            percent=min(rule.percent, maximum), source="rule", rule_id=rule.rule_id, rule_version=rule.rule_version
        )
    if affiliate is not None:
        return Rate(percent=min(affiliate, maximum), source="affiliate")
    return Rate(percent=min(platform, maximum), source="platform")


def status_by_hand(*, payout: int, agreed: int) -> str:
    """What a payout set by staff makes of a trade."""
    if payout == agreed:
        return "WON"
    return "LOST" if payout == 0 else "CLOSED"


def profit_of(*, payout: int, stake: int, markup: int) -> int:
    """What the trader gained: negative when he lost."""
    return payout - stake - markup


def win_rate(*, won: int, trades: int) -> Decimal:
    """The percentage of results that were a profit, half-up to two places."""
    return (Decimal(100 * won) / trades).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def _half_up(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))
