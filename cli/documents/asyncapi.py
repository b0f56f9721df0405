"""AsyncAPI 3.0 of the events: who sends what over which exchange, who hears it, and what it looks like."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from typing import Any

from cli.documents.json_schema import schema_of
from cli.documents.sources import events
from shared.chassis.topology import events_queue
from shared.contracts import schema
from shared.contracts.envelope import Envelope, EventData

PATH = "docs/reference/asyncapi.json"


def written() -> Iterator[tuple[str, str]]:
    """The one document."""
    yield PATH, json.dumps(describe(events()), indent=1, ensure_ascii=False) + "\n"


def describe(known: list[type[EventData]]) -> dict[str, Any]:
    """Of the whole system: an operation for the owner of each event, and one for each of its readers."""
    operations: dict[str, Any] = {}
    for event in known:
        operations[f"{event.owner}.send.{event.type}"] = _operation("send", event, event.owner)
        for reader in event.readers:
            operations[f"{reader}.receive.{event.owner}.{event.type}"] = {
                **_operation("receive", event, reader),
                "description": f"From the queue `{events_queue(reader)}`, at least once, in any order.",
            }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Nexus events",
            "version": "1",
            "description": "One fact, one event: told by its owner's outbox, heard from one durable queue a service.",
        },
        "defaultContentType": "application/json",
        "channels": {_name(event): _channel(event) for event in known},
        "operations": operations,
        "components": {
            "messages": {_name(event): _message(event) for event in known},
            "schemas": {"Envelope": schema_of(Envelope), **{_name(event): schema_of(event) for event in known}},
        },
    }


def _name(event: type[EventData]) -> str:
    return f"{event.owner}.{event.type}"


def _channel(event: type[EventData]) -> dict[str, Any]:
    return {
        "address": event.type,
        "messages": {event.type: {"$ref": f"#/components/messages/{_name(event)}"}},
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {"name": f"{event.owner}.events", "type": "topic", "durable": True, "autoDelete": False},
            }
        },
    }


def _operation(action: str, event: type[EventData], service: str) -> dict[str, Any]:
    channel = f"#/channels/{_name(event)}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{event.type}"}],
        "tags": [{"name": service}],
    }


def _message(event: type[EventData]) -> dict[str, Any]:
    fixed = {"type": {"const": event.type}, "version": {"const": event.version}, "source": {"const": event.owner}}
    data = {"$ref": f"#/components/schemas/{_name(event)}"}
    return {
        "name": event.type,
        "title": event.type.replace("_", " "),
        "summary": (inspect.getdoc(event) or "").partition("\n")[0],
        **({"deprecated": True} if event.deprecated else {}),
        "payload": {
            "allOf": [
                {"$ref": "#/components/schemas/Envelope"},
                {"type": "object", "properties": {**fixed, "data": data}},
            ]
        },
        "examples": [{"payload": {"data": schema.dump(event.example())}}],
    }
