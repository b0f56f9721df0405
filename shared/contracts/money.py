"""Currencies and the exact conversion between decimal strings and integer minor units.

Minor units are the smallest amount that a currency has here: cents of a dollar, satoshi of a
bitcoin. Amounts are `int` in databases and events and decimal strings in the public API.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

CURRENCIES: Final[dict[str, int]] = {
    "USD": 2,
    "EUR": 2,
    "GBP": 2,
    "AUD": 2,
    "USDT": 2,
    "USDC": 2,
    "BTC": 8,
    "ETH": 8,
    "LTC": 8,
}
"""Currency code to number of decimals; the one table of the project (codes as Deriv spells them, upper case)."""

MAX_MINOR: Final[int] = 10**15
"""Largest amount that any single field may carry: far above every limit, far below a `bigint`."""

_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,14})(\.[0-9]{1,8})?", re.ASCII)


def to_minor(text: str, currency: str) -> int:
    """Minor units of a non-negative decimal string such as "10", "10.5" or "10.50".

    Raises ValueError for anything else: signs, exponents, blanks, other scripts' digits, more
    decimals than the currency has, unknown currencies, or more than `MAX_MINOR`.
    """
    decimals = CURRENCIES.get(currency)
    if decimals is None:
        raise ValueError(f"unknown currency {currency!r}")
    if not _AMOUNT.fullmatch(text):
        raise ValueError("not a decimal amount")
    whole, _, fraction = text.partition(".")
    if len(fraction) > decimals:
        raise ValueError(f"{currency} has {decimals} decimals")
    minor = int(whole + fraction.ljust(decimals, "0"))
    if minor > MAX_MINOR:
        raise ValueError("amount too large")
    return minor


def to_text(minor: int, currency: str) -> str:
    """The public form of an amount in minor units, with all the currency's decimals ("-0.35")."""
    decimals = CURRENCIES[currency]
    if decimals == 0:
        return str(minor)
    sign, digits = ("-" if minor < 0 else ""), str(abs(minor)).rjust(decimals + 1, "0")
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}"


def percent_text(percent: Decimal | None) -> str | None:
    """The public form of a percentage ("2.50"), or None where none is set."""
    return None if percent is None else str(percent.quantize(Decimal("0.01")))


def share_of(amount: int, percent: Decimal) -> int:
    """`percent` percent of an amount in minor units, rounded half-up to the minor unit."""
    return int((amount * percent / 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))
