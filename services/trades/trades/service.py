"""The door of trades."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from nameko.extensions import DependencyProvider

from shared.chassis.handles import handles
from shared.chassis.offload import Offload
from shared.chassis.rpc.client import RpcTo
from shared.chassis.rpc.server import rpc
from shared.chassis.service import Service
from shared.chassis.timers import sweep
from shared.contracts.billing.events import AccountOpened, AccountUpdated
from shared.contracts.commission.events import CommissionAccrued, CommissionReversed, CommissionRuleChanged
from shared.contracts.envelope import Received
from shared.contracts.referrals.events import ReferralCodeChanged
from shared.contracts.trades import halts, limits, statistics
from shared.contracts.trades import rpc as asked
from shared.contracts.users.events import UserRegistered, UserUpdated
from shared.settings.env import EnvConfig, SettingError, env
from shared.utils.time import get_utc_now
from trades import copies, queries
from trades.commands.apply_awards import apply_awards
from trades.commands.cancel_trade import cancel_trade
from trades.commands.close_trade import close_trade
from trades.commands.get_limits import get_limits
from trades.commands.get_proof import get_proof
from trades.commands.get_statistics import get_statistics
from trades.commands.get_value import get_value
from trades.commands.halt_trading import halt_trading
from trades.commands.list_halts import list_halts
from trades.commands.open_trade import open_trade
from trades.commands.preview import preview
from trades.commands.quote import quote
from trades.commands.reject_stale import reject_stale
from trades.commands.resume_trading import resume_trading
from trades.commands.sell_trade import sell_trade
from trades.commands.set_account_limits import set_account_limits
from trades.commands.set_self_limits import set_self_limits
from trades.commands.settle_due import settle_due
from trades.commands.void_trade import void_trade
from trades.market import public
from trades.market.builtin import BuiltinMarket
from trades.market.faulty import faults_of, faulty
from trades.market.feed import Feed
from trades.market.hours import Hours, seeds_of
from trades.market.port import Market
from trades.market.pricing import pricing_of
from trades.market.symbols import symbols_of
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
        secret=settings.require("SECRET_KEY").encode(),
    )


def _decimal(settings: EnvConfig, name: str, default: Decimal) -> Decimal:
    try:
        return Decimal(settings.get(name, str(default)))
    except InvalidOperation:
        raise SettingError(f"{name} must be a decimal number") from None


class House(DependencyProvider):
    """What the settings say, read once; and the hours and prices that this process remembers."""

    def setup(self) -> None:
        self.conditions = conditions_of(env)
        self.pricing = pricing_of(env)
        self.faults = faults_of(env)
        self.hours = Hours(make_seed=seeds_of(env), symbols=symbols_of(env))
        self.feed = Feed(Offload(threads=1))

    def get_dependency(self, worker_ctx: Any) -> House:
        return self


class TradesService(Service):
    """Implements `shared.contracts.trades.rpc.TradesRpc`; each method's meaning and errors are written there."""

    name = "trades"
    billing = RpcTo("billing", timeout=2.0)
    house = House()

    @property
    def market(self) -> Market:
        return faulty(BuiltinMarket(self.db, self.house.hours, pricing=self.house.pricing), self.db, self.house.faults)

    @rpc(asked.QuoteRequest)
    def quote(self, request: asked.QuoteRequest) -> asked.QuoteView:
        return quote(request, db=self.db, billing=self.billing, market=self.market, conditions=self.house.conditions)

    @rpc(limits.PreviewRequest)
    def preview(self, request: limits.PreviewRequest) -> limits.PreviewView:
        return preview(request, db=self.db, billing=self.billing, market=self.market, conditions=self.house.conditions)

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

    @rpc(asked.SummaryRequest)
    def summary(self, request: asked.SummaryRequest) -> asked.TradesSummary:
        return queries.summary(request, db=self.db, spot=self.market.spot)

    @rpc(asked.CloseTradeRequest)
    def close_trade(self, request: asked.CloseTradeRequest) -> asked.TradeAnswer:
        return close_trade(request, db=self.db, market=self.market, conditions=self.house.conditions)

    @rpc(asked.VoidTradeRequest)
    def void_trade(self, request: asked.VoidTradeRequest) -> asked.TradeAnswer:
        return void_trade(request, db=self.db, market=self.market)

    @rpc(asked.SellTradeRequest)
    def sell_trade(self, request: asked.SellTradeRequest) -> asked.TradeAnswer:
        return sell_trade(request, db=self.db, market=self.market)

    @rpc(asked.CancelTradeRequest)
    def cancel_trade(self, request: asked.CancelTradeRequest) -> asked.TradeView:
        return cancel_trade(request, db=self.db, billing=self.billing, market=self.market)

    @rpc(asked.GetValueRequest)
    def get_value(self, request: asked.GetValueRequest) -> asked.ValueView:
        return get_value(request, db=self.db, market=self.market)

    @rpc(asked.GetProofRequest)
    def get_proof(self, request: asked.GetProofRequest) -> asked.ProofView:
        return get_proof(request, db=self.db)

    @rpc(asked.ListSeedsRequest)
    def list_seeds(self, request: asked.ListSeedsRequest) -> asked.SeedPage:
        return public.list_seeds(request, db=self.db, now=get_utc_now())

    @rpc
    def list_symbols(self) -> asked.SymbolPage:
        return public.list_symbols(self.market.symbols())

    @rpc(asked.ListTicksRequest)
    def list_ticks(self, request: asked.ListTicksRequest) -> asked.TickList:
        return public.list_ticks(
            request, db=self.db, symbols=self.market.symbols(), feed=self.house.feed, now=get_utc_now()
        )

    @rpc(asked.ListCandlesRequest)
    def list_candles(self, request: asked.ListCandlesRequest) -> asked.CandleList:
        return public.list_candles(
            request, db=self.db, symbols=self.market.symbols(), feed=self.house.feed, now=get_utc_now()
        )

    @rpc(limits.GetLimitsRequest)
    def get_limits(self, request: limits.GetLimitsRequest) -> limits.LimitsView:
        return get_limits(request, db=self.db, billing=self.billing, conditions=self.house.conditions)

    @rpc(limits.SetSelfLimitsRequest)
    def set_self_limits(self, request: limits.SetSelfLimitsRequest) -> limits.LimitsView:
        return set_self_limits(request, db=self.db, billing=self.billing, conditions=self.house.conditions)

    @rpc(limits.SetAccountLimitsRequest)
    def set_account_limits(self, request: limits.SetAccountLimitsRequest) -> limits.LimitsView:
        return set_account_limits(request, db=self.db, billing=self.billing, conditions=self.house.conditions)

    @rpc(statistics.GetStatisticsRequest)
    def get_statistics(self, request: statistics.GetStatisticsRequest) -> statistics.StatisticsView:
        return get_statistics(request, db=self.db)

    @rpc(halts.HaltRequest)
    def halt_trading(self, request: halts.HaltRequest) -> halts.HaltAnswer:
        return halt_trading(request, db=self.db, market=self.market)

    @rpc(halts.ResumeRequest)
    def resume_trading(self, request: halts.ResumeRequest) -> halts.ResumeAnswer:
        return resume_trading(request, db=self.db)

    @rpc
    def list_halts(self) -> halts.HaltPage:
        return list_halts(db=self.db)

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
