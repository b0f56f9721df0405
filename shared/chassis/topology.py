"""The broker's exchanges, queues, bindings, users and rights, computed from the contracts: topology is code.

Pure functions; `shared.chassis.broker_api` applies and checks what they say. Applied before anything starts, so
that durable queues collect for services that start later.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.contracts.envelope import EVENTS

RPC_EXCHANGE = "nameko-rpc"
PARKING_EXCHANGE = "parking"
RETRY_STEPS: dict[str, int] = {"1s": 1_000, "5s": 5_000, "30s": 30_000, "2m": 120_000, "10m": 600_000}
"""The retry ladder: name of the step and delay in milliseconds."""
DELIVERY_LIMIT = 50
# Reading a parking queue returns each message; RabbitMQ 4 would drop it after 20 times unless told otherwise.
_PARKED_FOR_EVER = {"x-queue-type": "quorum", "x-delivery-limit": 1_000_000_000}
_UUID = "[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to run: services, who may call whom, and which events the gateway listens to while it is up."""

    services: Sequence[str]
    calls: Mapping[str, Sequence[str]]
    """Caller to the services that it may call; the gateway is a caller like others."""
    gateway_events: Mapping[str, Sequence[str]]
    """Owner to event types."""


def retry_exchange(step: str) -> str:
    """The exchange (and queue) of a step of the ladder."""
    return f"retry.{step}"


def events_queue(service: str) -> str:
    """The one queue of all events that a service hears."""
    return f"{service}.events"


def parking_queue(service: str) -> str:
    """Where a service's messages wait for a person."""
    return f"{service}.parking"


_MOVING = [PARKING_EXCHANGE, *map(retry_exchange, RETRY_STEPS)]


def bindings_of(service: str) -> set[tuple[str, str]]:
    """(exchange, routing key) of every event that names the service as a reader."""
    return {(f"{owner}.events", type_) for (owner, type_), event in EVENTS.items() if service in event.readers}


def definitions(plan: Plan) -> dict[str, Any]:
    """Exchanges, queues and bindings of a virtual host, in RabbitMQ's own format for definitions."""
    owners = sorted({owner for owner, _ in EVENTS} | set(plan.services))
    exchanges = [
        *(_exchange(f"{owner}.events", "topic") for owner in owners),
        _exchange(RPC_EXCHANGE, "topic"),
        # Topic exchanges, so that rights are by routing key: who may say where a message goes after its delay could
        # otherwise put anything into any service's queue.
        *(_exchange(name, "topic") for name in _MOVING),
    ]
    queues, bindings = [], []
    for step, delay in RETRY_STEPS.items():
        arguments = {**_dead_letters(""), "x-message-ttl": delay}
        queues.append(_queue(retry_exchange(step), arguments))
        bindings.append(_binding(retry_exchange(step), retry_exchange(step), "#"))
    for service in plan.services:
        queues.append(_queue(f"rpc-{service}", {"x-queue-type": "classic"}))
        bindings.append(_binding(RPC_EXCHANGE, f"rpc-{service}", f"{service}.*"))
        arguments = {
            **_dead_letters(PARKING_EXCHANGE),
            "x-dead-letter-routing-key": service,
            "x-delivery-limit": DELIVERY_LIMIT,
        }
        queues.append(_queue(events_queue(service), arguments))
        bindings += [_binding(exchange, events_queue(service), key) for exchange, key in sorted(bindings_of(service))]
        queues.append(_queue(parking_queue(service), _PARKED_FOR_EVER))
        bindings.append(_binding(PARKING_EXCHANGE, parking_queue(service), service))
    return {"exchanges": exchanges, "queues": queues, "bindings": bindings}


def rights(plan: Plan, vhost: str, passwords: Mapping[str, str]) -> dict[str, Any]:
    """Users with their least rights: one per service, `relay`, `gateway` and the read-only `nexus_monitor`.

    `passwords` names the users that are wanted, by their plain passwords.
    """
    permissions, topics = [], []
    for user in passwords:
        if user == "nexus_monitor":
            permissions.append(_permission(user, vhost, "", "", ""))
        elif user == "relay":
            permissions.append(_permission(user, vhost, "", r".+\.events", ""))
        else:
            permissions.append(_caller(user, vhost, plan))
            topics += _caller_topics(user, vhost, plan)
    return {
        "users": [
            {
                "name": user,
                "password_hash": _password_hash(password),
                "hashing_algorithm": "rabbit_password_hashing_sha256",
                "tags": "monitoring" if user == "nexus_monitor" else "",
            }
            for user, password in passwords.items()
        ],
        "permissions": permissions,
        "topic_permissions": topics,
    }


def _caller(user: str, vhost: str, plan: Plan) -> dict[str, str]:
    own = rf"rpc\.reply-{re.escape(user)}-.+"
    if user in plan.services:
        write = [own, *map(re.escape, [RPC_EXCHANGE, *_MOVING])]
        read = [own, *map(re.escape, [RPC_EXCHANGE, f"rpc-{user}", events_queue(user), parking_queue(user)])]
    else:
        # Its exclusive queues: answers, and what it listens to while it is up.
        own = rf"{own}|{re.escape(user)}\..+"
        write = [own, re.escape(RPC_EXCHANGE)]
        read = [own, re.escape(RPC_EXCHANGE), *(re.escape(f"{owner}.events") for owner in plan.gateway_events)]
    return _permission(user, vhost, own, "|".join(write), "|".join(read))


def _caller_topics(user: str, vhost: str, plan: Plan) -> list[dict[str, str]]:
    callees = [rf"{re.escape(callee)}\..+" for callee in plan.calls.get(user, ())]
    found = [_topic(user, vhost, RPC_EXCHANGE, "|".join([*callees, _UUID]), _UUID)]
    if user in plan.services:
        found.append(_topic(user, vhost, PARKING_EXCHANGE, re.escape(user), ""))
        own = re.escape(events_queue(user))
        found += [_topic(user, vhost, retry_exchange(step), own, "") for step in RETRY_STEPS]
    else:
        found += [
            _topic(user, vhost, f"{owner}.events", "", "|".join(map(re.escape, types)))
            for owner, types in plan.gateway_events.items()
        ]
    return found


def _permission(user: str, vhost: str, configure: str, write: str, read: str) -> dict[str, str]:
    return {
        "user": user,
        "vhost": vhost,
        "configure": _whole(configure),
        "write": _whole(write),
        "read": _whole(read),
    }


def _topic(user: str, vhost: str, exchange: str, write: str, read: str) -> dict[str, str]:
    return {"user": user, "vhost": vhost, "exchange": exchange, "write": _whole(write), "read": _whole(read)}


def _whole(pattern: str) -> str:
    return f"^({pattern})$" if pattern else "^$"


def _exchange(name: str, kind: str) -> dict[str, Any]:
    return {"name": name, "type": kind, "durable": True, "auto_delete": False, "internal": False, "arguments": {}}


def _queue(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "durable": True, "auto_delete": False, "arguments": dict(arguments)}


def _binding(source: str, queue: str, key: str) -> dict[str, Any]:
    return {
        "source": source,
        "destination": queue,
        "destination_type": "queue",
        "routing_key": key,
        "arguments": {},
    }


def _dead_letters(exchange: str) -> dict[str, Any]:
    # At-least-once dead-lettering needs a quorum queue that refuses rather than drops; no length limit is set,
    # so it never does. https://www.rabbitmq.com/docs/quorum-queues#dead-lettering
    return {
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": exchange,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


def _password_hash(password: str) -> str:
    # https://www.rabbitmq.com/docs/passwords#computing-password-hash
    salt = os.urandom(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def missing(service: str, queues: Iterable[str], bindings: Iterable[tuple[str, str]]) -> list[str]:
    """What `service` lacks, given the names of all queues and the (exchange, key) pairs of its events queue."""
    there, bound = set(queues), set(bindings)
    wanted = [f"rpc-{service}", events_queue(service), parking_queue(service)]
    lacking = [f"queue {name}" for name in [*wanted, *map(retry_exchange, RETRY_STEPS)] if name not in there]
    return lacking + [f"binding of {key} from {exchange}" for exchange, key in sorted(bindings_of(service) - bound)]


def orphans(
    plan: Plan, queues: Mapping[str, Mapping[str, Any]], bound: Mapping[str, set[tuple[str, str]]]
) -> list[str]:
    """What the plan does not know (any more): an alarm and no error, for a newer or older release may need it.

    `queues` by name, as the management API describes them, and the (exchange, key) pairs of the events queues.
    """
    planned = {queue["name"] for queue in definitions(plan)["queues"]}
    found = [f"queue {n}" for n, queue in sorted(queues.items()) if n not in planned and not queue.get("exclusive")]
    for service in plan.services:
        extra = bound.get(events_queue(service), set()) - bindings_of(service)
        found += [f"binding of {key} from {exchange} to {events_queue(service)}" for exchange, key in sorted(extra)]
    return found
