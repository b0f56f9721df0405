"""The door of audit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nameko.extensions import DependencyProvider

from audit import chain, copies
from audit.commands.list_entries import list_entries
from audit.commands.record import record
from audit.commands.record_events import record_events
from audit.commands.seal_entries import seal_entries
from shared.chassis.context import current
from shared.chassis.handles import handles
from shared.chassis.rpc.server import rpc
from shared.chassis.service import Service
from shared.chassis.timers import sweep
from shared.contracts.audit import rpc as asked
from shared.contracts.billing import events as billing
from shared.contracts.commission import events as commission
from shared.contracts.envelope import EventData, Received
from shared.contracts.referrals import events as referrals
from shared.contracts.trades import events as trades
from shared.contracts.users import events as users
from shared.settings.env import env
from shared.utils.time import get_utc_now


class Key(DependencyProvider):
    """The key that seals, read once: without it the service does not start."""

    def setup(self) -> None:
        self.key = chain.SealKey.load(env)

    def get_dependency(self, worker_ctx: Any) -> chain.SealKey:
        return self.key


class AuditService(Service):
    """Implements `shared.contracts.audit.rpc.AuditRpc`, where meanings and errors are written."""

    name = "audit"
    linger = 0.1
    key = Key()

    @rpc(asked.RecordRequest)
    def record(self, request: asked.RecordRequest) -> dict[str, object]:
        record(self.db, current(), **vars(request), now=get_utc_now())
        return {}

    @rpc(asked.ListEntriesRequest)
    def list_entries(self, request: asked.ListEntriesRequest) -> asked.EntryPage:
        return list_entries(self.db, current(), **vars(request), now=get_utc_now())

    @rpc
    def verify_chain(self) -> asked.ChainView:
        return chain.verify_chain(self.db, current(), self.key)

    @sweep(interval=1.0)
    def seal(self) -> float | None:
        now = get_utc_now()
        return now.timestamp() if seal_entries(self.db, self.key, now=now) else None

    @handles(users.UserRegistered)
    def on_user_registered(self, events: Sequence[Received[users.UserRegistered]]) -> None:
        copies.keep_users(self.db, events)
        self._record(events)

    @handles(users.UserUpdated)
    def on_user_updated(self, events: Sequence[Received[users.UserUpdated]]) -> None:
        copies.keep_users(self.db, events)
        self._record(events)

    @handles(users.UserLoggedIn)
    def on_user_logged_in(self, events: Sequence[Received[users.UserLoggedIn]]) -> None:
        self._record(events)

    @handles(users.UserLoginFailed)
    def on_user_login_failed(self, events: Sequence[Received[users.UserLoginFailed]]) -> None:
        self._record(events)

    @handles(users.SessionRevoked)
    def on_session_revoked(self, events: Sequence[Received[users.SessionRevoked]]) -> None:
        self._record(events)

    @handles(billing.AccountOpened)
    def on_account_opened(self, events: Sequence[Received[billing.AccountOpened]]) -> None:
        self._record(events)

    @handles(billing.AccountUpdated)
    def on_account_updated(self, events: Sequence[Received[billing.AccountUpdated]]) -> None:
        self._record(events)

    @handles(billing.TransactionRecorded)
    def on_transaction_recorded(self, events: Sequence[Received[billing.TransactionRecorded]]) -> None:
        self._record(events)

    @handles(billing.DepositRequested)
    def on_deposit_requested(self, events: Sequence[Received[billing.DepositRequested]]) -> None:
        self._record(events)

    @handles(billing.DepositCompleted)
    def on_deposit_completed(self, events: Sequence[Received[billing.DepositCompleted]]) -> None:
        self._record(events)

    @handles(billing.DepositFailed)
    def on_deposit_failed(self, events: Sequence[Received[billing.DepositFailed]]) -> None:
        self._record(events)

    @handles(trades.TradeOpened)
    def on_trade_opened(self, events: Sequence[Received[trades.TradeOpened]]) -> None:
        self._record(events)

    @handles(trades.TradeSettled)
    def on_trade_settled(self, events: Sequence[Received[trades.TradeSettled]]) -> None:
        self._record(events)

    @handles(trades.TradeCancelled)
    def on_trade_cancelled(self, events: Sequence[Received[trades.TradeCancelled]]) -> None:
        self._record(events)

    @handles(trades.LimitsChanged)
    def on_limits_changed(self, events: Sequence[Received[trades.LimitsChanged]]) -> None:
        self._record(events)

    @handles(trades.TradingHalted)
    def on_trading_halted(self, events: Sequence[Received[trades.TradingHalted]]) -> None:
        self._record(events)

    @handles(trades.TradingResumed)
    def on_trading_resumed(self, events: Sequence[Received[trades.TradingResumed]]) -> None:
        self._record(events)

    @handles(commission.CommissionAccrued)
    def on_commission_accrued(self, events: Sequence[Received[commission.CommissionAccrued]]) -> None:
        self._record(events)

    @handles(commission.ReferralCommissionAccrued)
    def on_referral_commission_accrued(self, events: Sequence[Received[commission.ReferralCommissionAccrued]]) -> None:
        self._record(events)

    @handles(commission.CommissionReversed)
    def on_commission_reversed(self, events: Sequence[Received[commission.CommissionReversed]]) -> None:
        self._record(events)

    @handles(commission.CommissionRuleChanged)
    def on_commission_rule_changed(self, events: Sequence[Received[commission.CommissionRuleChanged]]) -> None:
        self._record(events)

    @handles(referrals.ReferralRegistered)
    def on_referral_registered(self, events: Sequence[Received[referrals.ReferralRegistered]]) -> None:
        self._record(events)

    @handles(referrals.ReferralCodeChanged)
    def on_referral_code_changed(self, events: Sequence[Received[referrals.ReferralCodeChanged]]) -> None:
        self._record(events)

    def _record(self, events: Sequence[Received[EventData]]) -> None:
        record_events(self.db, events, now=get_utc_now())
