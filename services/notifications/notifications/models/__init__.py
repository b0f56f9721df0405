"""The tables, and what may become of a notification."""

from notifications.models.tables import STAFF, metadata

__all__ = ["STAFF", "metadata"]
