"""A virtual host per worker with the whole topology, and what tests do at it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlsplit

import kombu

from shared.chassis import topology, wire
from shared.chassis.broker_api import BrokerApi, BrokerApiError
from shared.contracts import schema
from shared.contracts.envelope import Envelope, EventData
from shared.devstack.registry import BROKER_USERS, plan
from shared.utils.ids import new_id
from shared.utils.time import get_utc_now, to_rfc3339

AMQP = os.environ.get("NEXUS_TEST_AMQP", "")
API = os.environ.get("NEXUS_TEST_API", "")


class Broker:
    """The worker's virtual host. Users of services have their names as passwords."""

    def __init__(self, vhost: str) -> None:
        self.vhost = vhost
        self.api = BrokerApi(API)

    def create(self) -> None:
        """Makes the virtual host with exchanges, queues, bindings, users and rights."""
        wanted = plan()
        self.api.delete_vhost(self.vhost)
        self.api.create_vhost(self.vhost, urlsplit(AMQP).username or "guest")
        self.api.import_rights(topology.rights(wanted, self.vhost, {user: user for user in BROKER_USERS}))
        self.api.import_definitions(self.vhost, topology.definitions(wanted))

    def delete(self) -> None:
        self.api.delete_vhost(self.vhost)

    def url(self, user: str | None = None) -> str:
        """For a service's user, or the administrator."""
        parts = urlsplit(AMQP)
        login = f"{user}:{user}" if user else f"{parts.username}:{parts.password}"
        return f"amqp://{login}@{parts.hostname}:{parts.port}/{quote(self.vhost, safe='')}"

    def api_url(self) -> str:
        """The management API for the monitoring user."""
        parts = urlsplit(API)
        return f"http://nexus_monitor:nexus_monitor@{parts.hostname}:{parts.port}"

    def empty(self) -> None:
        """Throws away what waits in any queue."""
        with kombu.Connection(self.url()) as connection:
            for queue in topology.definitions(plan())["queues"]:
                with suppress(Exception):
                    connection.default_channel.queue_purge(queue["name"])

    def depth(self, queue: str) -> int:
        """Messages ready in a queue."""
        with kombu.Connection(self.url()) as connection:
            return int(connection.default_channel.queue_declare(queue, passive=True).message_count)

    def close_connections(self, user: str) -> int:
        """Breaks every connection of a user, as a broker that restarts would; how many there were."""
        found = [
            c["name"] for c in self.api.call("GET", "/connections") if (c["vhost"], c["user"]) == (self.vhost, user)
        ]
        for name in found:
            with suppress(BrokerApiError):
                self.api.call("DELETE", f"/connections/{quote(name, safe='')}")
        return len(found)

    def parked(self, service: str) -> int:
        """Messages in a service's parking queue."""
        return self.depth(topology.parking_queue(service))

    def delete_binding(self, service: str, owner: str, type_: str) -> None:
        """Takes an event away from a service."""
        with kombu.Connection(self.url()) as connection:
            connection.default_channel.queue_unbind(
                topology.events_queue(service), exchange=f"{owner}.events", routing_key=type_
            )

    def publish(
        self,
        data: EventData,
        *,
        subject: str,
        subject_version: int = 1,
        personal: Mapping[str, Any] | None = None,
        event_id: str | None = None,
    ) -> Envelope:
        """Publishes an event as its owner's relay would, and returns its envelope."""
        envelope = Envelope(
            id=event_id or new_id(),
            type=data.type,
            version=data.version,
            source=data.owner,
            subject=subject,
            subject_version=subject_version,
            occurred_at=to_rfc3339(get_utc_now()),
            correlation_id=new_id(),
            data=schema.dump(data),
            personal=dict(personal or {}),
        )
        body = wire.dumps(envelope.to_json())
        self.publish_raw(f"{data.owner}.events", data.type, body, mandatory=bool(data.readers), message_id=envelope.id)
        return envelope

    def publish_raw(self, exchange: str, key: str, body: bytes, *, mandatory: bool = True, **properties: Any) -> None:
        """Publishes any bytes, confirmed."""
        with kombu.Connection(self.url(), transport_options={"confirm_publish": True}) as connection:
            kombu.Producer(connection.default_channel).publish(
                body,
                exchange=exchange,
                routing_key=key,
                content_type="application/json",
                content_encoding="utf-8",
                delivery_mode=2,
                mandatory=mandatory,
                retry=False,
                **properties,
            )
