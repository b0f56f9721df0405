"""What trades announces of limits and halts. Amounts are minor units of the account's currency."""

from __future__ import annotations

from typing import Literal, Self

from shared.contracts.envelope import EventData, event
from shared.contracts.types import Currency, Id, Timestamp


@event("trades", "limits_changed", readers=("audit",))
class LimitsChanged(EventData):
    """The house (`staff`) or the trader himself (`self`) has set an account's limits. Subject: the account.

    `before` and `after` have what is `changed`, null where there is no limit; `pending` what will be looser, by name:
    `{"value": …, "at": …}`. A change that only waits is `changed`, too, with the same value before and after.
    """

    account_id: Id
    user_id: Id
    currency: Currency
    set_by: Literal["staff", "self"]
    changed: list[str]
    before: dict[str, object]
    after: dict[str, object]
    pending: dict[str, object]
    self_exclusion_until: Timestamp | None

    @classmethod
    def example(cls) -> Self:
        return cls(
            account_id="01920000-0000-7000-8000-000000000011",
            user_id="01920000-0000-7000-8000-000000000001",
            currency="USD",
            set_by="self",
            changed=["stake_per_day", "stop_loss"],
            before={"stake_per_day": None, "stop_loss": 5000},
            after={"stake_per_day": 20000, "stop_loss": 5000},
            pending={"stop_loss": {"value": 10000, "at": "2026-01-02T00:00:00Z"}},
            self_exclusion_until=None,
        )


@event("trades", "trading_halted", readers=("audit",))
class TradingHalted(EventData):
    """Nothing is opened any more, on `symbol` or (null) at all. Subject: the halt, version 1."""

    halt_id: Id
    symbol: str | None
    reason: str
    halted_by: Id
    halted_at: Timestamp

    @classmethod
    def example(cls) -> Self:
        return cls(
            halt_id="01920000-0000-7000-8000-000000000071",
            symbol="R_100",
            reason="price feed is late",
            halted_by="01920000-0000-7000-8000-000000000009",
            halted_at="2026-01-01T00:00:00Z",
        )


@event("trades", "trading_resumed", readers=("audit",))
class TradingResumed(EventData):
    """A halt is over. Subject: the halt, version 2."""

    halt_id: Id
    symbol: str | None
    resumed_by: Id
    halted_at: Timestamp
    resumed_at: Timestamp

    @classmethod
    def example(cls) -> Self:
        return cls(
            halt_id="01920000-0000-7000-8000-000000000071",
            symbol="R_100",
            resumed_by="01920000-0000-7000-8000-000000000009",
            halted_at="2026-01-01T00:00:00Z",
            resumed_at="2026-01-01T00:10:00Z",
        )
