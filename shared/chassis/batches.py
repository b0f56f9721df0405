"""One batch of events: one transaction for all; when it fails, one by one, so that only the bad ones are left.

A failing event is never acknowledged away. Contract errors below 500 and errors of data are permanent (parked);
everything else is transient (the retry ladder). A database that is away fails nobody: the batch waits for it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from logging import getLogger
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DataError

from shared.chassis import inbox
from shared.chassis.context import Context, use
from shared.chassis.database import BATCH_STATEMENT_MS, Database
from shared.chassis.errors import RetryTransaction
from shared.contracts.envelope import EventData, Received, parse
from shared.contracts.errors import ServiceError, ValidationFailed

if TYPE_CHECKING:
    from shared.chassis.handles import EventQueue, Handles

log = getLogger(__name__)

# Seconds between looks at a database that is away.
_PAUSES = (0.05, 0.2, 0.5, 1.0, 2.0)


class Outcome(Enum):
    """What became of a message."""

    DONE = "done"
    TRANSIENT = "transient"
    PERMANENT = "permanent"


@dataclass(slots=True)
class Item:
    """A message and what became of it."""

    message: Any
    outcome: Outcome = Outcome.TRANSIENT
    error: str = "not worked off"


class Batch:
    """Messages that are worked off together."""

    def __init__(self, source: EventQueue, messages: Sequence[Any]) -> None:
        self._source = source
        self.items = [Item(message) for message in messages]

    def work(self, service: Any) -> None:
        """Gives every item its outcome; returns without one when the connection to the broker is lost."""
        ready: list[tuple[Item, Handles, Received[EventData]]] = []
        for item in self.items:
            try:
                received = parse(item.message.payload)
                handler = self._source.handler(type(received.data))
                if handler is None:
                    raise ValidationFailed.of("type", "unhandled", f"{type(received.data).__name__} is not heard here")
            except Exception as error:  # whatever is wrong with a message, it is parked with the reason
                _fail(item, error, Outcome.PERMANENT)
            else:
                ready.append((item, handler, received))
        if not ready:
            return
        if len(ready) > 1 and self._tried(service, ready):
            return
        for one in ready:
            self._tried(service, [one])

    def _tried(self, service: Any, part: list[tuple[Item, Handles, Received[EventData]]]) -> bool:
        """Whether the part was done; the error of a single one is noted on it."""
        for attempt in range(1_000_000):
            if self._lost():
                return True  # nothing to settle: all of it comes again
            try:
                with use(Context(kind="system")):
                    _apply(service, [(handler, received) for _, handler, received in part])
            except RetryTransaction as error:
                log.warning("batch of %d events rolled back: %s", len(part), error)
                time.sleep(_PAUSES[min(attempt, len(_PAUSES) - 1)])
            except Exception as error:
                if len(part) == 1:
                    _fail(part[0][0], error, _kind(error))
                else:
                    log.warning("batch of %d events failed, now one by one: %r", len(part), error)
                return False
            else:
                for item, _, _ in part:
                    item.outcome = Outcome.DONE
                return True
        return False

    def _lost(self) -> bool:
        channel = self.items[-1].message.channel
        return channel is None or channel.connection is None


def _apply(service: Any, work: Sequence[tuple[Handles, Received[EventData]]]) -> None:
    db: Database = service.db
    groups: dict[Handles, list[Received[EventData]]] = {}
    for handler, received in work:
        groups.setdefault(handler, []).append(received)
    with db.transaction(statement_ms=BATCH_STATEMENT_MS) as tx:
        for handler, events in groups.items():
            if handler.inbox:
                fresh = inbox.only_new(tx, handler.method_name, [event.id for event in events])
                # The same event may be in a batch twice.
                events = [event for event in {e.id: e for e in events}.values() if event.id in fresh]  # noqa: PLW2901
            if events:
                getattr(service, handler.method_name)(events)


def _kind(error: Exception) -> Outcome:
    if isinstance(error, ServiceError):
        return Outcome.PERMANENT if error.status < 500 else Outcome.TRANSIENT
    if isinstance(error, ValueError | TypeError | KeyError | DataError):
        return Outcome.PERMANENT
    return Outcome.TRANSIENT


def _fail(item: Item, error: Exception, outcome: Outcome) -> None:
    item.outcome, item.error = outcome, f"{type(error).__name__}: {error}"[:500]
    key = item.message.delivery_info.get("routing_key")
    log.error("event %s failed (%s)", key, outcome.value, exc_info=error)
