"""What trades keeps of other services' things, each with the version that it was told in."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user as far as trades needs him. `code_id`: the code he registered with, told only at registration."""

    user_id: str
    is_active: bool
    is_frozen: bool
    referrer_id: str | None
    code_id: str | None
    markup_percentage: Decimal | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account's terms."""

    account_id: str
    user_id: str
    account_type: str
    currency: str
    markup_percentage: Decimal | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A referral code. `markup_percent`: its own rate, if it has one."""

    code_id: str
    owner_id: str
    markup_percent: Decimal | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The present version of an affiliate's commission rule."""

    owner_id: str
    rule_id: str
    rule_version: int
    markup_percent: Decimal
    version: int
