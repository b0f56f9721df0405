"""The caller's notifications."""

from __future__ import annotations

from gateway.answer import Answer, no_content
from gateway.endpoint import Call, Endpoint
from gateway.schemas.bodies import EmptyBody
from shared.contracts import schema
from shared.contracts.notifications import rpc as notifications


async def list_notifications(call: Call) -> Answer:
    """Newest first."""
    return await call.pass_on("notifications", "list_notifications", schema.dump(call.query))


async def get_notification(call: Call) -> Answer:
    """One of the caller's."""
    return await call.pass_on("notifications", "get_notification", call.path)


async def mark_read(call: Call) -> Answer:
    """Again: the same."""
    return await call.pass_on("notifications", "mark_read", call.path)


async def mark_all_read(call: Call) -> Answer:
    """What has arrived until now."""
    return await call.pass_on("notifications", "mark_all_read")


async def delete_notification(call: Call) -> Answer:
    """Again: there is none."""
    await call.ask("notifications", "delete", call.path)
    return no_content()


async def delete_notifications(call: Call) -> Answer:
    """What has arrived until now; again: nothing to do."""
    await call.ask("notifications", "delete_all")
    return no_content()


ENDPOINTS = [
    Endpoint(
        method="GET",
        path="/api/v1/notifications",
        handler=list_notifications,
        summary="Notifications, newest first",
        tag="notifications",
        query=notifications.ListNotificationsRequest,
        answer=notifications.NotificationPage,
    ),
    Endpoint(
        method="DELETE",
        path="/api/v1/notifications",
        handler=delete_notifications,
        summary="Delete all notifications",
        tag="notifications",
        status=204,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/notifications/read-all",
        handler=mark_all_read,
        summary="Mark all notifications as read",
        tag="notifications",
        body=EmptyBody,
        body_may_be_empty=True,
        key="accepted",
        answer=notifications.CountAnswer,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/notifications/{notification_id}",
        handler=get_notification,
        summary="One notification",
        tag="notifications",
        answer=notifications.NotificationView,
    ),
    Endpoint(
        method="DELETE",
        path="/api/v1/notifications/{notification_id}",
        handler=delete_notification,
        summary="Delete a notification",
        tag="notifications",
        status=204,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/notifications/{notification_id}/read",
        handler=mark_read,
        summary="Mark a notification as read",
        tag="notifications",
        body=EmptyBody,
        body_may_be_empty=True,
        key="accepted",
        answer=notifications.NotificationView,
    ),
]
