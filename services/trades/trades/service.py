"""The door of trades."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from nameko.extensions import DependencyProvider

from shared.chassis.handles import handles
from shared.chassis.rpc.client import RpcTo
from shared.chassis.rpc.server import rpc
from shared.chassis.service import Service
from shared.chassis.timers import sweep
from shared.contracts.billing.events import AccountOpened, AccountUpdated
from shared.contracts.commission.events import CommissionAccrued, CommissionReversed, CommissionRuleChanged
from shared.contracts.envelope import Received
from shared.contracts.referrals.events import ReferralCodeChanged
from shared.contracts.trades import rpc as asked
from shared.contracts.users.events import UserRegistered, UserUpdated
from shared.settings.env import EnvConfig, SettingError, env
from shared.utils.time import get_utc_now
from trades import copies, queries
from trades.commands.apply_awards import apply_awards
from trades.commands.close_trade import close_trade
from trades.commands.open_trade import open_trade
from trades.commands.quote import quote
from trades.commands.reject_stale import reject_stale
from trades.commands.settle_due import settle_due
from trades.commands.void_trade import void_trade
from trades.market.builtin import BuiltinMarket
from trades.market.hours import Hours, seeds_of
from trades.rules import Conditions


def conditions_of(settings: EnvConfig) -> Conditions:
    """The house's conditions from the settings."""
    house = Conditions()
    return Conditions(
        stake_min=_decimal(settings, "STAKE_MIN", house.stake_min),
        payout_max=_decimal(settings, "PAYOUT_MAX", house.payout_max),
        platform_percent=_decimal(settings, "PLATFORM_MARKUP_PERCENT", house.platform_percent),
        percent_max=_decimal(settings, "MARKUP_MAX", house.percent_max),
        quote_seconds=settings.get_int("QUOTE_SECONDS", house.quote_seconds),
        opening_seconds=settings.get_int("OPENING_SECONDS", house.opening_seconds),
    )


def _decimal(settings: EnvConfig, name: str, default: Decimal) -> Decimal:
    try:
        return Decimal(settings.get(name, str(default)))
    except InvalidOperation:
        raise SettingError(f"{name} must be a decimal number") from None


class House(DependencyProvider):
    """What the settings say, read once; and the hours that this process remembers."""

    def setup(self) -> None:
        self.conditions = conditions_of(env)
        self.commission = _decimal(env, "MARKET_COMMISSION", Decimal("0.012"))
        self.hours = Hours(make_seed=seeds_of(env))

    def get_dependency(self, worker_ctx: Any) -> House:
        return self


class TradesService(Service):
    """Implements `shared.contracts.trades.rpc.TradesRpc`; each method's meaning and errors are written there."""

    name = "trades"
    billing = RpcTo("billing", timeout=2.0)
    house = House()

    @property
    def market(self) -> BuiltinMarket:
        return BuiltinMarket(self.db, self.house.hours, commission=self.house.commission)

    @rpc(asked.QuoteRequest)
    def quote(self, request: asked.QuoteRequest) -> asked.QuoteView:
        return quote(request, db=self.db, billing=self.billing, market=self.market, conditions=self.house.conditions)

    @rpc(asked.OpenTradeRequest)
    def open_trade(self, request: asked.OpenTradeRequest) -> asked.TradeAnswer:
        return open_trade(
            request, db=self.db, billing=self.billing, market=self.market, conditions=self.house.conditions
        )

    @rpc(asked.GetTradeRequest)
    def get_trade(self, request: asked.GetTradeRequest) -> asked.TradeView:
        return queries.get_trade(request, db=self.db, spot=self.market.spot)

    @rpc(asked.ListTradesRequest)
    def list_trades(self, request: asked.ListTradesRequest) -> asked.TradePage:
        return queries.list_trades(request, db=self.db, spot=self.market.spot)

    @rpc(asked.CloseTradeRequest)
    def close_trade(self, request: asked.CloseTradeRequest) -> asked.TradeAnswer:
        return close_trade(request, db=self.db, market=self.market, conditions=self.house.conditions)

    @rpc(asked.VoidTradeRequest)
    def void_trade(self, request: asked.VoidTradeRequest) -> asked.TradeAnswer:
        return void_trade(request, db=self.db, market=self.market)

    @sweep(interval=0.2)
    def settle_due(self) -> float | None:
        due = settle_due(db=self.db, market=self.market)
        return None if due is None else due.timestamp()

    @sweep(interval=1.0)
    def reject_stale(self) -> None:
        reject_stale(db=self.db, billing=self.billing, market=self.market)

    @sweep(interval=60.0)
    def prepare_market(self) -> None:
        self.market.prepare(now=get_utc_now())

    @handles(UserRegistered)
    def on_user_registered(self, events: Sequence[Received[UserRegistered]]) -> None:
        with self.db.transaction() as tx:
            copies.put_users(tx, events)

    @handles(UserUpdated)
    def on_user_updated(self, events: Sequence[Received[UserUpdated]]) -> None:
        with self.db.transaction() as tx:
            copies.put_users(tx, events)

    @handles(AccountOpened)
    def on_account_opened(self, events: Sequence[Received[AccountOpened]]) -> None:
        with self.db.transaction() as tx:
            copies.put_accounts(tx, events)

    @handles(AccountUpdated)
    def on_account_updated(self, events: Sequence[Received[AccountUpdated]]) -> None:
        with self.db.transaction() as tx:
            copies.put_accounts(tx, events)

    @handles(ReferralCodeChanged)
    def on_referral_code_changed(self, events: Sequence[Received[ReferralCodeChanged]]) -> None:
        with self.db.transaction() as tx:
            copies.put_codes(tx, events)

    @handles(CommissionRuleChanged)
    def on_commission_rule_changed(self, events: Sequence[Received[CommissionRuleChanged]]) -> None:
        with self.db.transaction() as tx:
            copies.put_rules(tx, events)

    @handles(CommissionAccrued)
    def on_commission_accrued(self, events: Sequence[Received[CommissionAccrued]]) -> None:
        apply_awards(events, db=self.db)

    @handles(CommissionReversed)
    def on_commission_reversed(self, events: Sequence[Received[CommissionReversed]]) -> None:
        apply_awards(events, db=self.db)
