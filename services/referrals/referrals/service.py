"""The door of referrals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from nameko.extensions import DependencyProvider

from referrals import copies, queries
from referrals.commands.change_code import change_code
from referrals.commands.claim import claim
from referrals.commands.confirm_referrals import confirm_referrals
from referrals.commands.generate_code import generate_code
from referrals.commands.mark_awarded import mark_awarded
from referrals.commands.return_claims import return_claims
from shared.chassis.context import current
from shared.chassis.handles import handles
from shared.chassis.rpc.server import rpc
from shared.chassis.service import Service
from shared.chassis.timers import sweep
from shared.contracts.commission.events import ReferralCommissionAccrued
from shared.contracts.envelope import Received
from shared.contracts.referrals import rpc as asked
from shared.contracts.users.events import UserRegistered, UserUpdated
from shared.settings.env import env
from shared.utils.time import get_utc_now


class House(DependencyProvider):
    """What the settings say, read once."""

    def setup(self) -> None:
        self.claim_patience = timedelta(seconds=env.get_float("CLAIM_SECONDS", 600))

    def get_dependency(self, worker_ctx: Any) -> House:
        return self


class ReferralsService(Service):
    """Implements `shared.contracts.referrals.rpc.ReferralsRpc`, where meanings and errors are written."""

    name = "referrals"
    house = House()

    @rpc(asked.GenerateCodeRequest)
    def generate_code(self, request: asked.GenerateCodeRequest) -> asked.CodeAnswer:
        return generate_code(self.db, current(), request, now=get_utc_now())

    @rpc(asked.ChangeCodeRequest)
    def change_code(self, request: asked.ChangeCodeRequest) -> asked.CodeView:
        return change_code(self.db, current(), request, now=get_utc_now())

    @rpc(asked.ClaimRequest)
    def claim(self, request: asked.ClaimRequest) -> asked.ClaimAnswer:
        now = get_utc_now()
        answer = claim(self.db, **vars(request), now=now)
        self.return_claims.hint((now + self.house.claim_patience).timestamp())
        return answer

    @rpc(asked.CheckCodeRequest)
    def check_code(self, request: asked.CheckCodeRequest) -> asked.CheckAnswer:
        return queries.check_code(self.db, request.code, now=get_utc_now())

    @rpc(asked.GetReferralRequest)
    def get_referral(self, request: asked.GetReferralRequest) -> asked.ReferralView:
        return queries.get_referral(self.db, current(), request.user_id)

    @rpc(asked.ListCodesRequest)
    def list_codes(self, request: asked.ListCodesRequest) -> asked.CodePage:
        return queries.list_codes(self.db, current(), **vars(request))

    @rpc(asked.ListReferralsRequest)
    def list_referrals(self, request: asked.ListReferralsRequest) -> asked.ReferralPage:
        return queries.list_referrals(self.db, current(), **vars(request))

    @sweep(interval=10.0)
    def return_claims(self) -> float | None:
        due = return_claims(self.db, patience=self.house.claim_patience, now=get_utc_now())
        return None if due is None else due.timestamp()

    @handles(UserRegistered)
    def on_user_registered(self, events: Sequence[Received[UserRegistered]]) -> None:
        confirm_referrals(self.db, events, now=get_utc_now())

    @handles(UserUpdated)
    def on_user_updated(self, events: Sequence[Received[UserUpdated]]) -> None:
        with self.db.transaction() as tx:
            copies.keep_users(tx, events)

    @handles(ReferralCommissionAccrued)
    def on_referral_commission_accrued(self, events: Sequence[Received[ReferralCommissionAccrued]]) -> None:
        mark_awarded(self.db, events, now=get_utc_now())
