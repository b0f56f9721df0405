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

from sqlalchemy.exc import DataError, DBAPIError

from shared.chassis import inbox
from shared.chassis.context import Context, use
from shared.chassis.database import BATCH_STATEMENT_MS, Database
from shared.chassis.errors import DatabaseAway, RetryTransaction
from shared.contracts.envelope import EventData, Received, parse
from shared.contracts.errors import ServiceError, ValidationFailed

if TYPE_CHECKING:
    from shared.chassis.handles import EventQueue, Handles

log = getLogger(__name__)

# Runs of a part that the server keeps rolling back (deadlocks, locks, connections that break) before it counts as
# failed, and the seconds between them; the last pause is also that between looks at a database that is away.
ATTEMPTS = 5
_PAUSES = (0.05, 0.2, 0.5, 1.0)


class Outcome(Enum):
    """What became of a message."""

    DONE = "done"
    TRANSIENT = "transient"
    PERMANENT = "permanent"
    HELD = "held"
    """Nothing: the connection or the process ends, and the broker delivers it again."""


@dataclass(slots=True)
class Item:
    """A message and what became of it."""

    message: Any
    outcome: Outcome = Outcome.TRANSIENT
    error: str = "not worked off"
    moved: bool = False
    """Whether a copy is on the ladder or parked."""

    @property
    def failed(self) -> bool:
        return self.outcome in (Outcome.TRANSIENT, Outcome.PERMANENT)


Part = Sequence[tuple[Item, "Handles", Received[EventData]]]


class Batch:
    """Messages that are worked off together."""

    def __init__(self, source: EventQueue, messages: Sequence[Any]) -> None:
        self._source = source
        self.items = [Item(message) for message in messages]

    def work(self, service: Any) -> None:
        """Gives every item its outcome."""
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
        if ready and (len(ready) == 1 or not self._tried(service, ready)):
            for one in ready:
                self._tried(service, [one])

    def _tried(self, service: Any, part: Part) -> bool:
        """Whether the part is over and done with; the error of a single one is noted on it."""
        error = self._run(service, part)
        if isinstance(error, Outcome):
            for item, _, _ in part:
                item.outcome = error
            return True
        if len(part) > 1:
            log.warning("batch of %d events failed, now one by one: %r", len(part), error)
            return False
        _fail(part[0][0], error, _kind(error))
        return True

    def _run(self, service: Any, part: Part) -> Exception | Outcome:
        """DONE, HELD or what went wrong."""
        attempt = 0
        while True:
            if self._source.over(self.items[-1].message):
                return Outcome.HELD
            try:
                with use(Context(kind="system")):
                    _apply(service, [(handler, received) for _, handler, received in part])
                return Outcome.DONE
            except DatabaseAway as error:
                log.warning("a batch of %d events waits: %s", len(part), error)
                time.sleep(_PAUSES[-1])
            except RetryTransaction as error:
                attempt += 1
                log.warning("batch of %d events, run %d of %d: %s", len(part), attempt, ATTEMPTS, error)
                if attempt == ATTEMPTS:
                    return error
                time.sleep(_PAUSES[attempt - 1])
            except Exception as error:
                return error


def _apply(service: Any, work: Sequence[tuple[Handles, Received[EventData]]]) -> None:
    db: Database = service.db
    groups: dict[Handles, list[Received[EventData]]] = {}
    for handler, received in work:
        groups.setdefault(handler, []).append(received)
    with db.transaction(statement_ms=BATCH_STATEMENT_MS) as tx:
        for handler, heard in groups.items():
            events = heard
            if handler.inbox:
                fresh = inbox.only_new(tx, handler.method_name, [event.id for event in heard])
                # The same event may be in a batch twice.
                events = [event for event in {e.id: e for e in heard}.values() if event.id in fresh]
            if events:
                getattr(service, handler.method_name)(events)


def _kind(error: Exception) -> Outcome:
    if isinstance(error, ServiceError):
        return Outcome.PERMANENT if error.status < 500 else Outcome.TRANSIENT
    if isinstance(error, ValueError | TypeError | KeyError | DataError):
        return Outcome.PERMANENT
    return Outcome.TRANSIENT


def _fail(item: Item, error: Exception, outcome: Outcome) -> None:
    item.outcome, item.error = outcome, _text(error)
    key = item.message.delivery_info.get("routing_key")
    log.error("event %s failed (%s)", key, outcome.value, exc_info=error)


def _text(error: Exception) -> str:
    # The text of a database's error may quote the row, with names and addresses in it.
    if isinstance(error, DBAPIError):
        return f"{type(error).__name__}: {getattr(error.orig, 'pgcode', None)}"
    fields = f" {error.errors}" if isinstance(error, ServiceError) and error.errors else ""
    return f"{type(error).__name__}: {error}{fields}"[:500]
