"""The synthetic indices that the market inside knows.

Codes, names, volatilities and seconds between ticks are Deriv's, as deriv.com describes its volatility indices: `R_`
ticks on the even seconds of the epoch, `1HZ` on every second. Decimals are those of Deriv's quotes in 2026. Where an
index starts in its very first hour is ours: near the level at which Deriv quoted it where one was published, else a
level at which a step is many pips; a contract's price depends on it only through ties.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from shared.settings.env import EnvConfig, SettingError
from trades.market.port import Symbol

_TABLE: Final = (
    ("R_10", "Volatility 10 Index", 0.1, 2, 3, 6_300),
    ("R_25", "Volatility 25 Index", 0.25, 2, 3, 2_900),
    ("R_50", "Volatility 50 Index", 0.5, 2, 4, 190),
    ("R_75", "Volatility 75 Index", 0.75, 2, 4, 90_000),
    ("R_100", "Volatility 100 Index", 1.0, 2, 2, 1_500),
    ("1HZ10V", "Volatility 10 (1s) Index", 0.1, 1, 2, 9_900),
    ("1HZ15V", "Volatility 15 (1s) Index", 0.15, 1, 3, 10_000),
    ("1HZ25V", "Volatility 25 (1s) Index", 0.25, 1, 2, 750_000),
    ("1HZ30V", "Volatility 30 (1s) Index", 0.3, 1, 3, 10_000),
    ("1HZ50V", "Volatility 50 (1s) Index", 0.5, 1, 2, 250_000),
    ("1HZ75V", "Volatility 75 (1s) Index", 0.75, 1, 2, 5_500),
    ("1HZ90V", "Volatility 90 (1s) Index", 0.9, 1, 3, 10_000),
    ("1HZ100V", "Volatility 100 (1s) Index", 1.0, 1, 2, 2_400),
)

ALL: Final[Mapping[str, Symbol]] = {
    code: Symbol(code=code, title=title, sigma=sigma, interval=interval, decimals=decimals)
    for code, title, sigma, interval, decimals, _ in _TABLE
}
FIRST_LEVEL: Final[Mapping[str, Decimal]] = {code: Decimal(level) for code, *_, level in _TABLE}
"""Where an index starts in the first hour that has it."""

OFFERED: Final[Mapping[str, Symbol]] = {code: ALL[code] for code in ("R_50", "R_100", "1HZ100V")}
"""What a market offers that is not told otherwise."""


def symbols_of(settings: EnvConfig) -> Mapping[str, Symbol]:
    """What `MARKET_SYMBOLS` offers: codes between commas; everything when it is not set.

    Raises SettingError for an unknown code, or none. A symbol that is not offered any more goes on ticking: its open
    contracts settle.
    """
    codes = settings.get_list("MARKET_SYMBOLS", list(ALL))
    unknown = sorted(set(codes) - set(ALL))
    if unknown or not codes:
        raise SettingError(f"MARKET_SYMBOLS must name some of {', '.join(ALL)}; not {', '.join(unknown) or 'none'}")
    return {code: ALL[code] for code in codes}
