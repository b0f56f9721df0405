"""The door of billing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nameko.extensions import DependencyProvider

from billing import queries
from billing.commands.checkpoint_accounts import checkpoint_accounts
from billing.commands.complete_deposit import complete_deposit
from billing.commands.credit_commissions import credit_commissions
from billing.commands.fail_deposit import fail_deposit
from billing.commands.open_demo_account import open_demo_account
from billing.commands.place_hold import place_hold
from billing.commands.release_hold import release_hold
from billing.commands.request_deposit import request_deposit
from billing.commands.reverse_commissions import reverse_commissions
from billing.commands.set_account_markup import set_account_markup
from billing.commands.settle_trades import settle_trades
from billing.commands.sync_real_account import sync_real_account
from billing.commands.update_users import update_users
from billing.commands.void_trades import void_trades
from shared.chassis.context import current
from shared.chassis.handles import handles
from shared.chassis.rpc.server import rpc
from shared.chassis.service import Service
from shared.chassis.timers import sweep
from shared.contracts.billing import rpc as asked
from shared.contracts.commission.events import CommissionAccrued, CommissionReversed, ReferralCommissionAccrued
from shared.contracts.envelope import Received
from shared.contracts.trades.events import TradeCancelled, TradeSettled
from shared.contracts.users.events import UserRegistered, UserUpdated
from shared.settings.env import EnvConfig, env
from shared.utils.time import get_utc_now


def may_sync_unlinked(settings: EnvConfig) -> bool:
    """Whether a trader may name his Deriv account himself, without having linked it: by default not in production."""
    return settings.get_bool("ALLOW_UNLINKED_REAL", settings.get("NEXUS_ENV", "dev") != "prod")


class House(DependencyProvider):
    """What the settings say, read once."""

    def setup(self) -> None:
        self.allow_unlinked = may_sync_unlinked(env)

    def get_dependency(self, worker_ctx: Any) -> House:
        return self


class BillingService(Service):
    """Implements `shared.contracts.billing.rpc.BillingRpc`; each method's meaning and errors are written there."""

    name = "billing"
    house = House()

    @rpc(asked.OpenDemoRequest)
    def open_demo_account(self, request: asked.OpenDemoRequest) -> asked.OpenDemoAnswer:
        return open_demo_account(self.db, current(), currency=request.currency, now=get_utc_now())

    @rpc(asked.SyncRealRequest)
    def sync_real_account(self, request: asked.SyncRealRequest) -> asked.RealAccountAnswer:
        allowed = self.house.allow_unlinked
        return sync_real_account(self.db, current(), **vars(request), allow_unlinked=allowed, now=get_utc_now())

    @rpc(asked.DefaultAccountRequest)
    def get_default_account(self, request: asked.DefaultAccountRequest) -> asked.AccountView:
        return queries.get_default_account(self.db, current(), request.user_id)

    @rpc(asked.GetAccountRequest)
    def get_account(self, request: asked.GetAccountRequest) -> asked.AccountView:
        return queries.get_account(self.db, current(), request.account_id)

    @rpc(asked.ListAccountsRequest)
    def list_accounts(self, request: asked.ListAccountsRequest) -> asked.AccountPage:
        return queries.list_accounts(self.db, current(), **vars(request))

    @rpc(asked.SummaryRequest)
    def summary(self, request: asked.SummaryRequest) -> asked.BillingSummary:
        return queries.summary(self.db, current(), limit=request.limit)

    @rpc(asked.SetAccountMarkupRequest)
    def set_account_markup(self, request: asked.SetAccountMarkupRequest) -> asked.AccountView:
        return set_account_markup(self.db, current(), **vars(request), now=get_utc_now())

    @rpc(asked.DepositRequest)
    def request_deposit(self, request: asked.DepositRequest) -> asked.TransactionAnswer:
        return request_deposit(self.db, current(), **vars(request), now=get_utc_now())

    @rpc(asked.CompleteRequest)
    def complete_deposit(self, request: asked.CompleteRequest) -> asked.TransactionAnswer:
        return complete_deposit(self.db, current(), **vars(request), now=get_utc_now())

    @rpc(asked.FailRequest)
    def fail_deposit(self, request: asked.FailRequest) -> asked.TransactionAnswer:
        return fail_deposit(self.db, current(), **vars(request), now=get_utc_now())

    @rpc(asked.ListTransactionsRequest)
    def list_transactions(self, request: asked.ListTransactionsRequest) -> asked.TransactionPage:
        return queries.list_transactions(self.db, current(), **vars(request))

    @rpc(asked.AccountTermsRequest)
    def account_terms(self, request: asked.AccountTermsRequest) -> asked.AccountTerms:
        return queries.account_terms(self.db, current(), request.account_id)

    @rpc(asked.HoldRequest)
    def hold(self, request: asked.HoldRequest) -> asked.HoldAnswer:
        return place_hold(self.db, current(), **vars(request), now=get_utc_now())

    @rpc(asked.ReleaseRequest)
    def release(self, request: asked.ReleaseRequest) -> asked.ReleaseAnswer:
        return release_hold(self.db, current(), **vars(request), now=get_utc_now())

    @handles(TradeSettled)
    def on_trade_settled(self, events: Sequence[Received[TradeSettled]]) -> None:
        settle_trades(self.db, events, now=get_utc_now())

    @handles(TradeCancelled)
    def on_trade_cancelled(self, events: Sequence[Received[TradeCancelled]]) -> None:
        void_trades(self.db, events, now=get_utc_now())

    @handles(CommissionAccrued)
    def on_commission_accrued(self, events: Sequence[Received[CommissionAccrued]]) -> None:
        credit_commissions(self.db, events, now=get_utc_now())

    @handles(ReferralCommissionAccrued)
    def on_referral_commission_accrued(self, events: Sequence[Received[ReferralCommissionAccrued]]) -> None:
        credit_commissions(self.db, events, now=get_utc_now())

    @handles(CommissionReversed)
    def on_commission_reversed(self, events: Sequence[Received[CommissionReversed]]) -> None:
        reverse_commissions(self.db, events, now=get_utc_now())

    @handles(UserRegistered)
    def on_user_registered(self, events: Sequence[Received[UserRegistered]]) -> None:
        update_users(self.db, events, now=get_utc_now())

    @handles(UserUpdated)
    def on_user_updated(self, events: Sequence[Received[UserUpdated]]) -> None:
        update_users(self.db, events, now=get_utc_now())

    @sweep(interval=10.0)
    def checkpoint(self) -> None:
        checkpoint_accounts(self.db, now=get_utc_now())
