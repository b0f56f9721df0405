"""A trade as commands and queries handle it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

SETTLED: Final = ("WON", "LOST", "CLOSED")
"""Has its result, and the money follows it. CANCELLED is over too: `settled_status` is the result that it had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """A row of `trades`; amounts in minor units of `currency`."""

    id: str
    user_id: str
    account_id: str
    account_type: str
    currency: str
    symbol: str
    contract_type: str
    direction: str
    stake: int
    markup_applied: int
    held: int
    potential_payout: int
    payout: int | None = None
    profit: int | None = None
    commission_applied: int = 0
    markup_percent: Decimal
    markup_source: str
    rule_id: str | None = None
    rule_version: int | None = None
    affiliate_id: str | None = None
    code_id: str | None = None
    proposal_id: str | None = None
    transaction_id: str | None = None
    contract_id: str | None = None
    duration_seconds: int
    duration: int
    duration_unit: str
    entry_spot: Decimal | None = None
    exit_spot: Decimal | None = None
    opened_at: datetime | None = None
    starts_at: datetime | None = None
    expires_at: datetime | None = None
    closed_at: datetime | None = None
    status: str = "PENDING"
    reason: str | None = None
    rejection: dict[str, Any] | None = None
    opening_deadline: datetime
    claimed_at: datetime | None = None
    correlation_id: str
    opened_event_id: str | None = None
    version: int = 1
    created_at: datetime
    updated_at: datetime
    settled_status: str | None = None
    settled_payout: int | None = None
    void_reason: str | None = None
    voided_at: datetime | None = None
    voided_by: str | None = None
    barrier: str | None = None
    sold_commission: Decimal | None = None

    @classmethod
    def of(cls, row: Mapping[Any, Any]) -> Trade:
        """From a row with the columns in `COLUMNS`."""
        return cls(**row)

    def values(self) -> dict[str, Any]:
        """By column."""
        return {name: getattr(self, name) for name in NAMES}


NAMES: Final = tuple(item.name for item in fields(Trade))
# Ids are text here: the driver would make objects of them.
COLUMNS: Final = ", ".join(
    f"CAST(trades.{name} AS text) AS {name}" if name == "id" or name.endswith(("_id", "_by")) else f"trades.{name}"
    for name in NAMES
)
