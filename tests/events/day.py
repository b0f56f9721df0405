"""A trading day in seconds, on a clock of its own: made up from a seed, written down, and done again from the log.

Whatever enters the business is an entry of the log: who asked what and when, when sweepers came by and events were
delivered. Times and ids follow from the entry, prices from the market's seed, so that nothing else is left to matter.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final
from uuid import UUID

from shared.chassis.context import Context, Idempotency
from shared.contracts.errors import ServiceError
from shared.devstack.registry import SERVICES
from shared.utils.ids import use_ids
from shared.utils.time import from_rfc3339, to_rfc3339, use_clock
from tests.events.delivery import Delivery, InOrder
from tests.events.world import World

START: Final = datetime(2026, 3, 2, tzinfo=UTC)
STAFF: Final = "01920000-0000-7000-8000-000000000009"

_DIGESTED: Final = {
    "trades": ("trades", "applied_awards"),
    "billing": ("accounts", "account_balances", "ledger_tx", "postings", "transactions", "holds", "first_deposits"),
    "commission": ("decisions", "awards"),
}
"""All that money depends on, and all that these three have told, in its order."""
_ROW: Final = "(to_jsonb(t) - 'xact')::text"
"""Every column but the number of the server's transaction."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A call of a service's door, a round of one of its sweeps, or (without a service) the delivery of what was told.

    `by` is nobody, a user's id, or staff; `answer` a digest of what came back, or the code of a refusal.
    """

    number: int
    at: str
    service: str = ""
    method: str = ""
    by: str | None = None
    asked: dict[str, Any] = field(default_factory=dict)
    answer: str = ""


class Stage:
    """Where entries happen: the services on empty databases."""

    def __init__(self, world: World, *, seed: int) -> None:
        self.world, self._seed = world, str(seed).encode()

    def do(self, entry: Entry) -> tuple[Any, str]:
        """What is answered (None when refused), and how that is written down."""
        at = from_rfc3339(entry.at)
        with use_clock(lambda: at), use_ids(self._ids(entry.number, at)):
            if not entry.service:
                events = [event for service in SERVICES for event in self.world.take(service)]
                Delivery(self.world, InOrder()).run(events)
                return None, f"{len(events)} events"
            try:
                answer = self._ask(entry)
            except ServiceError as refusal:
                return None, refusal.code
        return answer, _hash([json.dumps(answer, default=str, sort_keys=True)])

    def _ask(self, entry: Entry) -> Any:
        if entry.by is None and not entry.asked:
            return self.world.sweep(entry.service, entry.method)
        kind: Any = "anonymous" if entry.by is None else "staff" if entry.by == STAFF else "user"
        key = Idempotency(key=f"entry-{entry.number:012}", route=f"POST /{entry.method}", request_hash="")
        asked = Context(kind=kind, user_id=entry.by, idempotency=None if entry.by is None else key)
        return self.world.call(entry.service, entry.method, ctx=asked, **entry.asked)

    def _ids(self, number: int, at: datetime) -> Callable[[], str]:
        """UUIDv7s of an entry: of its time, in their order, and otherwise by the seed."""
        millisecond, made = int(at.timestamp() * 1000), count()

        def new() -> str:
            one = next(made)
            digest = hmac.digest(self._seed, f"{number}:{one}".encode(), "sha256")
            low = 0b10 << 62 | int.from_bytes(digest[:8], "big") >> 2
            return str(UUID(int=millisecond << 80 | 7 << 76 | (one & 0xFFF) << 64 | low))

        return new


class Log:
    """The entries of a day, as they were done."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.entries: list[Entry] = []
        self.now = START

    def go(self, seconds: float) -> None:
        """Time passes, by whole milliseconds."""
        self.now += timedelta(milliseconds=max(1, round(seconds * 1000)))

    def call(self, service: str, method: str, by: str | None, /, **asked: Any) -> Any:
        """The answer, or None for a refusal."""
        return self._do(service, method, by, asked)

    def sweep(self, service: str, method: str) -> None:
        """One round of it."""
        self._do(service, method, None, {})

    def deliver(self) -> None:
        """All events that are told by now, and what they lead to, until everything is quiet."""
        self._do("", "", None, {})

    def lines(self) -> str:
        """The log as text, an entry a line."""
        return "".join(json.dumps(asdict(entry), sort_keys=True) + "\n" for entry in self.entries)

    def _do(self, service: str, method: str, by: str | None, asked: dict[str, Any]) -> Any:
        entry = Entry(len(self.entries), to_rfc3339(self.now), service, method, by, asked)
        answer, written = self._stage.do(entry)
        self.entries.append(Entry(entry.number, entry.at, service, method, by, asked, written))
        self.go(0.001)
        return answer


def replay(lines: Iterable[str], stage: Stage) -> None:
    """Does it all again. Raises AssertionError at the first entry that is answered otherwise."""
    for line in lines:
        entry = Entry(**json.loads(line))
        _, answer = stage.do(entry)
        assert answer == entry.answer, entry


def digests(world: World) -> dict[str, str]:
    """By table, of all rows."""
    found = {}
    for service, tables in _DIGESTED.items():
        for table in tables:
            rows = world.rows(service, f'SELECT {_ROW} COLLATE "C" FROM {table} t ORDER BY 1')
            found[f"{service}.{table}"] = _hash(text for (text,) in rows)
        told = world.rows(service, "SELECT payload FROM outbox ORDER BY seq")
        found[f"{service}.outbox"] = _hash(text for (text,) in told)
    return found


def _hash(texts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode() + b"\n")
    return digest.hexdigest()[:32]
