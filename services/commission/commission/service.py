"""The door of commission."""

from __future__ import annotations

from shared.chassis.service import Service


class CommissionService(Service):
    """Implements `shared.contracts.commission.rpc.CommissionRpc`, where meanings and errors are written."""

    name = "commission"
