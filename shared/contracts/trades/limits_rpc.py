"""The part of what trades answers that is about limits, halts and statistics."""

from __future__ import annotations

from typing import Protocol

from shared.contracts.trades.halts import HaltAnswer, HaltPage, ResumeAnswer
from shared.contracts.trades.limits import LimitsView, PreviewView
from shared.contracts.trades.statistics import StatisticsView


class LimitsRpc(Protocol):
    """Owner: trades; see `TradesRpc`."""

    def get_limits(self, *, account_id: str) -> LimitsView:
        """Owner or staff. Raises AccountNotFound."""
        ...

    def set_self_limits(
        self,
        *,
        account_id: str,
        stake_max: str | None = None,
        open_trades_max: int | None = None,
        stake_per_day: str | None = None,
        loss_per_day: str | None = None,
        stop_loss: str | None = None,
        take_profit: str | None = None,
        consecutive_losses: int | None = None,
        cool_down_seconds: int | None = None,
        self_exclusion_until: str | None = None,
    ) -> LimitsView:
        """The owner alone. Raises AccountNotFound, ValidationFailed."""
        ...

    def set_account_limits(
        self,
        *,
        account_id: str,
        stake_min: str | None = None,
        stake_max: str | None = None,
        payout_max: str | None = None,
        open_trades_max: int | None = None,
        stake_per_day: str | None = None,
        loss_per_day: str | None = None,
    ) -> LimitsView:
        """Staff. Raises Forbidden, AccountNotFound, ValidationFailed."""
        ...

    def preview(
        self,
        *,
        account_id: str,
        symbol: str,
        stake: str | None = None,
        payout: str | None = None,
        contract_type: str | None = None,
        direction: str | None = None,
        barrier: str | None = None,
        duration_seconds: int | None = None,
        duration: int | None = None,
        duration_unit: str | None = None,
    ) -> PreviewView:
        """What `open_trade` would do, and would refuse; nothing is written. Raises as `quote` does."""
        ...

    def get_statistics(
        self,
        *,
        user_id: str | None = None,
        account_id: str | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> StatisticsView:
        """Raises ValidationFailed for somebody else's."""
        ...

    def halt_trading(self, *, reason: str, symbol: str | None = None) -> HaltAnswer:
        """Staff; again: the halt there is. Raises Forbidden, ValidationFailed (unknown symbol)."""
        ...

    def resume_trading(self, *, symbol: str | None = None) -> ResumeAnswer:
        """Staff. Raises Forbidden."""
        ...

    def list_halts(self) -> HaltPage:
        """What is halted now, for everybody who is logged in."""
        ...
