"""The door of notifications."""

from __future__ import annotations

from shared.chassis.service import Service


class NotificationsService(Service):
    """Implements `shared.contracts.notifications.rpc.NotificationsRpc`, where meanings and errors are written."""

    name = "notifications"
