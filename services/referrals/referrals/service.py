"""The door of referrals."""

from __future__ import annotations

from shared.chassis.service import Service


class ReferralsService(Service):
    """Implements `shared.contracts.referrals.rpc.ReferralsRpc`, where meanings and errors are written."""

    name = "referrals"
