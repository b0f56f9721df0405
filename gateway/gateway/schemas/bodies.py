"""Bodies whose id comes in the path."""

from __future__ import annotations

from dataclasses import dataclass

from shared.contracts.types import Amount, Name, Percent


@dataclass(frozen=True, kw_only=True)
class MarkupBody:
    """PATCH of a user or an account."""

    markup_percentage: Percent | None


@dataclass(frozen=True, kw_only=True)
class CloseBody:
    """Staff settle a trade by hand."""

    payout: Amount
    transaction_id: Name | None = None


@dataclass(frozen=True, kw_only=True)
class EmptyBody:
    """An action that takes nothing."""
