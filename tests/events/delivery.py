"""Delivers events to all their readers, and what these tell in turn, until everything is quiet.

In order: each reader's events one after the other, once, as many as wait in a batch. Shuffled: each event as often as
wanted at random places of its reader's queue, batches of random sizes, readers and sweeps in any turn. Either way what
is too early comes again later, as from the retry ladder, and nothing may be left on it.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from shared.chassis.batches import Outcome
from shared.chassis.handles import SIZE
from shared.chassis.topology import RETRY_STEPS
from tests.events.world import Message, World, readers

Heard = Collection[tuple[str, str]]
"""Readers and ids of events."""

SWEEPS = (("audit", "seal"), ("billing", "checkpoint"), ("referrals", "return_claims"))
"""What runs beside the events in any case, and must not change how they end."""


class InOrder:
    """Once, in order; `heard` are not told again."""

    def __init__(self, heard: Heard = ()) -> None:
        self._heard = heard

    def put(self, queue: list[Message], reader: str, event: dict[str, Any]) -> None:
        if (reader, event["id"]) not in self._heard:
            queue.append(Message(event))

    def choose(self, waiting: list[str]) -> str:
        return waiting[0]

    def size(self) -> int:
        return SIZE

    def sweeps(self) -> bool:
        return False


class Shuffled:
    """So many times, anywhere, and everything else in any turn too, as `chance` has it."""

    def __init__(self, chance: random.Random, *, times: int) -> None:
        self._random, self._times = chance, times

    def put(self, queue: list[Message], reader: str, event: dict[str, Any]) -> None:
        for _ in range(self._times):
            queue.insert(self._random.randint(0, len(queue)), Message(event))

    def choose(self, waiting: list[str]) -> str:
        return self._random.choice(waiting)

    def size(self) -> int:
        # Alone, a few, or as many as ever.
        return self._random.choice((1, self._random.randint(2, 10), self._random.randint(10, SIZE), SIZE))

    def sweeps(self) -> bool:
        return self._random.random() < 0.05


class Delivery:
    """One run; `outcomes` counts what became of each delivery."""

    def __init__(self, world: World, policy: Any) -> None:
        self._world, self._policy = world, policy
        self._queues: defaultdict[str, list[Message]] = defaultdict(list)
        self.outcomes: Counter[Outcome] = Counter()

    def run(self, events: Iterable[dict[str, Any]]) -> None:
        """Until nothing waits anywhere. Raises AssertionError for what would be parked."""
        self._tell(events)
        while waiting := [reader for reader, queue in self._queues.items() if queue]:
            self._work(self._policy.choose(waiting))
            if self._policy.sweeps():
                self._sweep()
        self._sweep()
        while self._world.sweep("audit", "seal"):
            pass

    def _tell(self, events: Iterable[dict[str, Any]]) -> None:
        for event in events:
            for reader in readers(event):
                self._policy.put(self._queues[reader], reader, event)

    def _work(self, reader: str) -> None:
        queue, size = self._queues[reader], self._policy.size()
        messages, queue[:] = queue[:size], queue[size:]
        batch = self._world.seats[reader].hear(messages)
        for item in batch.items:
            self.outcomes[item.outcome] += 1
            if item.outcome is not Outcome.DONE:
                queue.append(self._later(reader, item))
        self._tell(self._world.take(reader))

    def _later(self, reader: str, item: Any) -> Message:
        message: Message = item.message
        where = f"{reader} and {message.payload['type']} of {message.payload['subject']}: {item.error}"
        assert item.outcome is Outcome.TRANSIENT, f"parked: {where}"
        assert message.attempts < len(RETRY_STEPS), f"exhausted: {where}"
        return replace(message, attempts=message.attempts + 1)

    def _sweep(self) -> None:
        for service, method in SWEEPS:
            self._world.sweep(service, method)
