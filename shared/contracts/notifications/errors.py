"""Refusals that notifications owns."""

from __future__ import annotations

from shared.contracts.errors import ServiceError


class NotificationNotFound(ServiceError):
    """No such notification, a deleted one, or somebody else's."""

    status, code, title = 404, "notification_not_found", "No such notification"
