"""The questions and commands that notifications answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Protocol, TypedDict

from marshmallow import validate

from shared.contracts.types import Id

LEVELS = ("info", "warning", "error")

Limit = Annotated[int, validate.Range(min=1, max=100)]
Cursor = Annotated[str, validate.Length(max=512)]


class NotificationView(TypedDict):
    """A notification as the public API shows it. `data` has ids and amounts to link to (`trade_id`, …)."""

    id: str
    user_id: str | None
    title: str
    body: str
    level: str
    is_read: bool
    data: dict[str, Any]
    created_at: str


class NotificationPage(TypedDict):
    """A page of notifications, newest first."""

    results: list[NotificationView]
    has_more: bool
    next: str | None


class CountAnswer(TypedDict):
    """How many notifications a command has changed."""

    count: int


@dataclass(frozen=True, kw_only=True)
class CreateRequest:
    """Staff and the system. `user_id` null: for all of staff."""

    user_id: Id | None = None
    title: Annotated[str, validate.Length(min=1, max=200)]
    body: Annotated[str, validate.Length(max=4000)] = ""
    level: Annotated[str, validate.OneOf(LEVELS)] = "info"
    data: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class ListNotificationsRequest:
    """The caller's own, and for staff those to all of staff. `unread` true: only unread ones, false: only read ones."""

    unread: bool | None = None
    limit: Limit = 20
    after: Cursor | None = None


@dataclass(frozen=True, kw_only=True)
class NotificationRequest:
    """One of the caller's own, or for staff one to all of staff."""

    notification_id: Id


class NotificationsRpc(Protocol):
    """Owner: notifications."""

    def create(
        self,
        *,
        user_id: str | None = None,
        title: str,
        body: str = "",
        level: str = "info",
        data: dict[str, Any] | None = None,
    ) -> NotificationView:
        """By idempotency key, if there is one; again: that one as it is now, emptied when it has been deleted.

        Raises Forbidden, IdempotencyMismatch, NotReady (a user that has not been heard of), ValidationFailed.
        """
        ...

    def list_notifications(
        self, *, unread: bool | None = None, limit: int = 20, after: str | None = None
    ) -> NotificationPage:
        """Newest first."""
        ...

    def get_notification(self, *, notification_id: str) -> NotificationView:
        """Raises NotificationNotFound."""
        ...

    def count_unread(self) -> int:
        """How many of the caller's own are unread, without those to all of staff."""
        ...

    def mark_read(self, *, notification_id: str) -> NotificationView:
        """Again: the same. Raises NotificationNotFound."""
        ...

    def mark_all_read(self) -> CountAnswer:
        """What has arrived for the caller himself until now."""
        ...

    def delete(self, *, notification_id: str) -> dict[str, object]:
        """Again: NotificationNotFound."""
        ...

    def delete_all(self) -> CountAnswer:
        """What has arrived for the caller himself until now."""
        ...
