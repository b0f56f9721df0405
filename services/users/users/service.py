"""The door of users."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from nameko.extensions import DependencyProvider

from shared.chassis.context import current
from shared.chassis.rpc.client import RpcTo
from shared.chassis.rpc.server import rpc
from shared.chassis.service import Service
from shared.contracts.users import rpc as asked
from shared.settings.env import env
from shared.utils.time import get_utc_now
from users import queries
from users.commands.log_in import log_in
from users.commands.log_out import log_out
from users.commands.refresh import refresh
from users.commands.register import register
from users.commands.set_user_markup import set_user_markup
from users.rules import Lifetimes, LockPolicy


class House(DependencyProvider):
    """What the settings say, read once. Times are in seconds."""

    def setup(self) -> None:
        life, lock = Lifetimes(), LockPolicy()
        self.lifetimes = Lifetimes(
            access=_seconds("ACCESS_TOKEN_LIFETIME", life.access),
            refresh=_seconds("REFRESH_TOKEN_LIFETIME", life.refresh),
            grace=_seconds("REFRESH_GRACE", life.grace),
        )
        self.lock_policy = LockPolicy(
            free=env.get_int("LOGIN_MAX_FAILURES", lock.free),
            first=_seconds("LOGIN_LOCK_SECONDS", lock.first),
            longest=_seconds("LOGIN_LOCK_MAX_SECONDS", lock.longest),
        )

    def get_dependency(self, worker_ctx: Any) -> House:
        return self


class UsersService(Service):
    """Implements `shared.contracts.users.rpc.UsersRpc`."""

    name = "users"
    referrals = RpcTo("referrals", timeout=2.0)
    house = House()

    @rpc(asked.RegisterRequest)
    def register(self, request: asked.RegisterRequest) -> asked.RegisterAnswer:
        return register(
            self.db,
            self.referrals,
            username=request.username,
            email=request.email,
            password=request.password,
            referral_code=request.referral_code,
            asked=current().idempotency,
            now=get_utc_now(),
        )

    @rpc(asked.LogInRequest)
    def log_in(self, request: asked.LogInRequest) -> asked.TokensView:
        return log_in(
            self.db,
            login=request.username,
            password=request.password,
            asked=current(),
            lifetimes=self.house.lifetimes,
            policy=self.house.lock_policy,
            now=get_utc_now(),
        )

    @rpc(asked.RefreshRequest)
    def refresh(self, request: asked.RefreshRequest) -> asked.TokensView:
        return refresh(self.db, token=request.refresh, lifetimes=self.house.lifetimes, now=get_utc_now())

    @rpc(asked.VerifyTokenRequest)
    def verify_token(self, request: asked.VerifyTokenRequest) -> dict[str, object]:
        with self.db.read() as tx:
            queries.check_token(tx, request.token, get_utc_now())
        return {}

    @rpc(asked.RefreshRequest)
    def log_out(self, request: asked.RefreshRequest) -> dict[str, object]:
        log_out(self.db, token=request.refresh, now=get_utc_now())
        return {}

    @rpc(asked.GetUserRequest)
    def get_user(self, request: asked.GetUserRequest) -> asked.UserView:
        with self.db.read() as tx:
            return queries.view(queries.get_user(tx, request.user_id, current()))

    @rpc(asked.SetUserMarkupRequest)
    def set_user_markup(self, request: asked.SetUserMarkupRequest) -> asked.UserView:
        current().require_staff()
        percentage = None if request.markup_percentage is None else Decimal(request.markup_percentage)
        return queries.view(set_user_markup(self.db, user_id=request.user_id, percentage=percentage, now=get_utc_now()))

    @rpc
    def list_revocations(self) -> asked.RevocationsView:
        with self.db.read() as tx:
            return queries.revocations(tx, get_utc_now())


def _seconds(name: str, default: timedelta) -> timedelta:
    return timedelta(seconds=env.get_float(name, default.total_seconds()))
