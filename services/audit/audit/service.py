"""The door of audit."""

from __future__ import annotations

from shared.chassis.service import Service


class AuditService(Service):
    """Implements `shared.contracts.audit.rpc.AuditRpc`, where meanings and errors are written."""

    name = "audit"
