"""The door of billing."""

from __future__ import annotations

from collections.abc import Sequence

from billing import copies, queries
from billing.commands.checkpoint_accounts import checkpoint_accounts
from billing.commands.open_demo_account import open_demo_account
from billing.commands.place_hold import place_hold
from billing.commands.release_hold import release_hold
from billing.commands.set_account_markup import set_account_markup
from billing.commands.settle_trades import settle_trades
from shared.chassis.context import current
from shared.chassis.handles import handles
from shared.chassis.rpc.server import rpc
from shared.chassis.service import Service
from shared.chassis.timers import sweep
from shared.contracts.billing import rpc as asked
from shared.contracts.envelope import Received
from shared.contracts.trades.events import TradeSettled
from shared.contracts.users.events import UserRegistered, UserUpdated
from shared.utils.time import get_utc_now


class BillingService(Service):
    """Implements `shared.contracts.billing.rpc.BillingRpc`; each method's meaning and errors are written there."""

    name = "billing"

    @rpc(asked.OpenDemoRequest)
    def open_demo_account(self, request: asked.OpenDemoRequest) -> asked.OpenDemoAnswer:
        return open_demo_account(self.db, current(), currency=request.currency, now=get_utc_now())

    @rpc(asked.GetAccountRequest)
    def get_account(self, request: asked.GetAccountRequest) -> asked.AccountView:
        return queries.get_account(self.db, current(), request.account_id)

    @rpc(asked.ListAccountsRequest)
    def list_accounts(self, request: asked.ListAccountsRequest) -> asked.AccountPage:
        return queries.list_accounts(self.db, current(), **vars(request))

    @rpc(asked.SetAccountMarkupRequest)
    def set_account_markup(self, request: asked.SetAccountMarkupRequest) -> asked.AccountView:
        return set_account_markup(self.db, current(), **vars(request), now=get_utc_now())

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

    @handles(UserRegistered)
    def on_user_registered(self, events: Sequence[Received[UserRegistered]]) -> None:
        copies.keep_users(self.db, events)

    @handles(UserUpdated)
    def on_user_updated(self, events: Sequence[Received[UserUpdated]]) -> None:
        copies.keep_users(self.db, events)

    @sweep(interval=10.0)
    def checkpoint(self) -> None:
        checkpoint_accounts(self.db, now=get_utc_now())
