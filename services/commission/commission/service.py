"""The door of commission."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from nameko.extensions import DependencyProvider

from commission import copies, queries
from commission.commands.decide_deposits import decide_deposits
from commission.commands.decide_trades import decide_trades
from commission.commands.set_rule import set_rule
from commission.commands.void_trades import void_trades
from commission.rules import Conditions
from shared.chassis.context import current
from shared.chassis.handles import handles
from shared.chassis.rpc.server import rpc
from shared.chassis.service import Service
from shared.contracts.billing.events import DepositCompleted
from shared.contracts.commission import rpc as asked
from shared.contracts.envelope import Received
from shared.contracts.trades.events import TradeCancelled, TradeSettled
from shared.contracts.users.events import UserRegistered, UserUpdated
from shared.settings.env import EnvConfig, SettingError, env
from shared.utils.time import get_utc_now


def conditions_of(settings: EnvConfig) -> Conditions:
    """The house's conditions from the settings."""
    house = Conditions()
    try:
        return Conditions(markup_max=Decimal(settings.get("MARKUP_MAX", str(house.markup_max))))
    except InvalidOperation:
        raise SettingError("MARKUP_MAX must be a decimal number") from None


class House(DependencyProvider):
    """What the settings say, read once."""

    def setup(self) -> None:
        self.conditions = conditions_of(env)

    def get_dependency(self, worker_ctx: object) -> Conditions:
        return self.conditions


class CommissionService(Service):
    """Implements `shared.contracts.commission.rpc.CommissionRpc`, where meanings and errors are written."""

    name = "commission"
    conditions = House()

    @rpc(asked.GetRuleRequest)
    def get_rule(self, request: asked.GetRuleRequest) -> asked.RuleView:
        return queries.get_rule(self.db, current(), request.owner_id)

    @rpc(asked.SetRuleRequest)
    def set_rule(self, request: asked.SetRuleRequest) -> asked.RuleView:
        return set_rule(self.db, current(), **vars(request), conditions=self.conditions)

    @rpc(asked.ListCommissionsRequest)
    def list_transactions(self, request: asked.ListCommissionsRequest) -> asked.CommissionPage:
        return queries.list_transactions(self.db, current(), **vars(request))

    @handles(TradeSettled)
    def on_trade_settled(self, events: Sequence[Received[TradeSettled]]) -> None:
        decide_trades(self.db, events, now=get_utc_now())

    @handles(TradeCancelled)
    def on_trade_cancelled(self, events: Sequence[Received[TradeCancelled]]) -> None:
        void_trades(self.db, events, now=get_utc_now())

    @handles(DepositCompleted)
    def on_deposit_completed(self, events: Sequence[Received[DepositCompleted]]) -> None:
        decide_deposits(self.db, events, now=get_utc_now())

    @handles(UserRegistered)
    def on_user_registered(self, events: Sequence[Received[UserRegistered]]) -> None:
        copies.keep_users(self.db, events)

    @handles(UserUpdated)
    def on_user_updated(self, events: Sequence[Received[UserUpdated]]) -> None:
        copies.keep_users(self.db, events)
