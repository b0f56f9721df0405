"""The door of notifications."""

from __future__ import annotations

from collections.abc import Sequence

from notifications import copies, queries
from notifications.commands.create import create
from notifications.commands.delete import delete
from notifications.commands.delete_all import delete_all
from notifications.commands.mark_all_read import mark_all_read
from notifications.commands.mark_read import mark_read
from notifications.commands.notify import notify
from shared.chassis.context import current
from shared.chassis.handles import handles
from shared.chassis.rpc.server import rpc
from shared.chassis.service import Service
from shared.contracts.billing.events import DepositCompleted, DepositFailed
from shared.contracts.commission.events import (
    CommissionAccrued,
    CommissionReversed,
    CommissionRuleChanged,
    ReferralCommissionAccrued,
)
from shared.contracts.envelope import Received
from shared.contracts.notifications import rpc as asked
from shared.contracts.referrals.events import ReferralRegistered
from shared.contracts.trades.events import TradeCancelled, TradeSettled
from shared.contracts.users.events import UserLoggedIn, UserLoginFailed, UserRegistered, UserUpdated
from shared.utils.time import get_utc_now


class NotificationsService(Service):
    """Implements `shared.contracts.notifications.rpc.NotificationsRpc`, where meanings and errors are written."""

    name = "notifications"
    linger = 0.05

    @rpc(asked.CreateRequest)
    def create(self, request: asked.CreateRequest) -> asked.NotificationView:
        return create(self.db, current(), **vars(request), now=get_utc_now())

    @rpc(asked.ListNotificationsRequest)
    def list_notifications(self, request: asked.ListNotificationsRequest) -> asked.NotificationPage:
        return queries.list_notifications(self.db, current(), **vars(request))

    @rpc(asked.NotificationRequest)
    def get_notification(self, request: asked.NotificationRequest) -> asked.NotificationView:
        return queries.get_notification(self.db, current(), request.notification_id)

    @rpc
    def count_unread(self) -> int:
        return queries.count_unread(self.db, current())

    @rpc(asked.NotificationRequest)
    def mark_read(self, request: asked.NotificationRequest) -> asked.NotificationView:
        return mark_read(self.db, current(), notification_id=request.notification_id, now=get_utc_now())

    @rpc
    def mark_all_read(self) -> asked.CountAnswer:
        return mark_all_read(self.db, current(), now=get_utc_now())

    @rpc(asked.NotificationRequest)
    def delete(self, request: asked.NotificationRequest) -> dict[str, object]:
        delete(self.db, current(), notification_id=request.notification_id, now=get_utc_now())
        return {}

    @rpc
    def delete_all(self) -> asked.CountAnswer:
        return delete_all(self.db, current(), now=get_utc_now())

    @handles(UserRegistered)
    def on_user_registered(self, events: Sequence[Received[UserRegistered]]) -> None:
        copies.keep_users(self.db, events)

    @handles(UserUpdated)
    def on_user_updated(self, events: Sequence[Received[UserUpdated]]) -> None:
        copies.keep_users(self.db, events)
        notify(self.db, events, now=get_utc_now())

    @handles(UserLoggedIn)
    def on_user_logged_in(self, events: Sequence[Received[UserLoggedIn]]) -> None:
        notify(self.db, events, now=get_utc_now())

    @handles(UserLoginFailed)
    def on_user_login_failed(self, events: Sequence[Received[UserLoginFailed]]) -> None:
        notify(self.db, events, now=get_utc_now())

    @handles(DepositCompleted)
    def on_deposit_completed(self, events: Sequence[Received[DepositCompleted]]) -> None:
        notify(self.db, events, now=get_utc_now())

    @handles(DepositFailed)
    def on_deposit_failed(self, events: Sequence[Received[DepositFailed]]) -> None:
        notify(self.db, events, now=get_utc_now())

    @handles(TradeSettled)
    def on_trade_settled(self, events: Sequence[Received[TradeSettled]]) -> None:
        notify(self.db, events, now=get_utc_now())

    @handles(TradeCancelled)
    def on_trade_cancelled(self, events: Sequence[Received[TradeCancelled]]) -> None:
        notify(self.db, events, now=get_utc_now())

    @handles(CommissionAccrued)
    def on_commission_accrued(self, events: Sequence[Received[CommissionAccrued]]) -> None:
        notify(self.db, events, now=get_utc_now())

    @handles(ReferralCommissionAccrued)
    def on_referral_commission_accrued(self, events: Sequence[Received[ReferralCommissionAccrued]]) -> None:
        notify(self.db, events, now=get_utc_now())

    @handles(CommissionReversed)
    def on_commission_reversed(self, events: Sequence[Received[CommissionReversed]]) -> None:
        notify(self.db, events, now=get_utc_now())

    @handles(CommissionRuleChanged)
    def on_commission_rule_changed(self, events: Sequence[Received[CommissionRuleChanged]]) -> None:
        notify(self.db, events, now=get_utc_now())

    @handles(ReferralRegistered)
    def on_referral_registered(self, events: Sequence[Received[ReferralRegistered]]) -> None:
        notify(self.db, events, now=get_utc_now())
