"""Checks the equations of all services against their databases, while they work.

Each service says what must be true of its own tables (`INVARIANTS`), what it expects of others (`CLAIMS`: name to SQL
giving key and value) and what is so with itself (`FACTS`, by the same names). One read takes one snapshot per database.
Equations between services hold only once events have arrived, so a suspicion is read again until it has stayed the same
for a while with nothing on its way that could settle it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any

import psycopg2

from shared.chassis.invariants import Invariant

EVERY = 0.5
STABLE = 5.0
"""Seconds for which a suspicion between services must stay the same; ordinary effects take far less than one."""
PATIENCE = 90.0
"""Seconds after which what is still on its way is listed as pending."""
SHOWN = 20


@dataclass(frozen=True)
class Equations:
    """What one service says, and where its tables are."""

    url: str
    invariants: Sequence[Invariant]
    claims: Mapping[str, str]
    facts: Mapping[str, str]


@dataclass(frozen=True, order=True)
class Suspicion:
    """Something that must not stay as it is. `between` services: an event may still settle it."""

    service: str
    name: str
    id: str
    detail: str
    between: bool


@dataclass
class Findings:
    """The result: violations are certain, pending effects are none."""

    violations: list[Suspicion] = field(default_factory=list)
    pending: dict[str, int] = field(default_factory=dict)
    checked: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


Queues = Callable[[], dict[str, int]]
"""Depth by queue, for all events, ladder and parking queues."""


def verify(services: Mapping[str, Equations], queues: Queues) -> Findings:
    """Reads until every suspicion is gone, certain, or pending. Raises psycopg2.OperationalError, OSError."""
    begun = time.monotonic()
    since: dict[Suspicion, float] = {}
    while True:
        suspicions, outboxes, checked = _read(services)
        depths = queues()
        now = time.monotonic()
        since = {suspicion: since.get(suspicion, now) for suspicion in suspicions}
        on_its_way = {**outboxes, **{q: n for q, n in depths.items() if n and not q.endswith(".parking")}}
        parked = [
            Suspicion(queue.removesuffix(".parking"), "parked", queue, f"{depth} messages", between=False)
            for queue, depth in depths.items()
            if depth and queue.endswith(".parking")
        ]
        certain = [s for s, first in since.items() if now - first >= (STABLE if s.between else EVERY)]
        waiting = [s for s in since if s not in certain]
        if not waiting and (not on_its_way or not any(s.between for s in certain)):
            return Findings(sorted([*certain, *parked]), on_its_way, checked, now - begun)
        if now - begun > PATIENCE:
            # Something is stuck on its way: what could be settled by it is pending, and no violation.
            kept = [s for s in certain if not (s.between and on_its_way)]
            undecided = {f"undecided: {s.name}": sum(o.name == s.name for o in since) for s in since if s not in kept}
            return Findings(sorted([*kept, *parked]), {**on_its_way, **undecided}, checked, now - begun)
        time.sleep(EVERY)


def _read(services: Mapping[str, Equations]) -> tuple[set[Suspicion], dict[str, int], dict[str, int]]:
    found: set[Suspicion] = set()
    outboxes: dict[str, int] = {}
    checked: dict[str, int] = {}
    claims: list[tuple[str, str, dict[str, str]]] = []
    facts: dict[str, dict[str, str]] = {}
    with ExitStack() as stack:
        cursors = {name: _snapshot(stack, equations.url) for name, equations in services.items()}
        for name, equations in services.items():
            cursor = cursors[name]
            for invariant in equations.invariants:
                cursor.execute(invariant.sql)
                found |= {
                    Suspicion(name, invariant.name, str(row[0]), _detail(invariant, row), between=False)
                    for row in cursor.fetchall()
                }
            for claim, sql in equations.claims.items():
                cursor.execute(sql)
                claims.append((name, claim, {str(k): str(v) for k, v in cursor.fetchall()}))
            for fact, sql in equations.facts.items():
                cursor.execute(sql)
                facts.setdefault(fact, {}).update((str(k), str(v)) for k, v in cursor.fetchall())
            cursor.execute("SELECT count(*) FROM outbox WHERE sent_at IS NULL")
            if unsent := cursor.fetchone()[0]:
                outboxes[f"outbox of {name}"] = unsent
            checked[f"{name}: invariants"] = len(equations.invariants)
    for name, claim, expected in claims:
        if claim not in facts:
            raise LookupError(f"{name} claims {claim}, and no service says how that is")
        checked[claim] = len(expected)
        for key, value in expected.items():
            actual = facts[claim].get(key)
            if actual != value:
                detail = f"expected {value}, found {actual if actual is not None else 'nothing'}"
                found.add(Suspicion(name, claim, key, detail, between=True))
    return found, outboxes, checked


def _detail(invariant: Invariant, row: tuple[Any, ...]) -> str:
    return f"{row[1]}. {invariant.explain}" if len(row) > 1 else invariant.explain


def _snapshot(stack: ExitStack, url: str) -> Any:
    connection = stack.enter_context(closing(psycopg2.connect(url, connect_timeout=5)))
    connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
    cursor = stack.enter_context(connection.cursor())
    cursor.execute("SELECT 1")  # the snapshot is taken by the first statement
    return cursor
