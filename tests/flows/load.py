"""A steady load of opens with a journal of what was promised to the client."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from client.http import Answer, NoAnswer
from tests.flows.driver import Trader

GOOD = {201, 409, 503}
"""All that a client may see while servers die: done, still running, come again (or a broken connection)."""


@dataclass
class Journal:
    """What one client was told, by idempotency key."""

    promised: dict[str, str] = field(default_factory=dict)
    """Trade id by key: answered 201."""
    unknown: list[str] = field(default_factory=list)
    """Keys without a final answer."""
    statuses: Counter[str] = field(default_factory=Counter)
    strange: list[Answer] = field(default_factory=list)

    def note(self, key: str, answer: Answer | None) -> None:
        self.statuses[str(answer.status) if answer else "broken"] += 1
        if answer is not None and answer.status == 201:
            self.promised[key] = answer.body["id"]
            return
        if answer is not None and answer.status not in GOOD:
            self.strange.append(answer)
        self.unknown.append(key)


class Load:
    """Each trader opens one small trade after the other, `pause` seconds apart, until told to stop."""

    def __init__(self, traders: Sequence[Trader], pause: float = 0.1) -> None:
        self.traders, self.pause = traders, pause
        self.journals = [Journal() for _ in traders]
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=pair, daemon=True)
            for pair in zip(traders, self.journals, strict=True)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _run(self, trader: Trader, journal: Journal) -> None:
        terms = trader.terms(stake="0.50", seconds=1)
        while not self._stop.wait(self.pause):
            key = uuid.uuid4().hex
            journal.note(key, attempt(trader, terms, key))

    def opened(self) -> int:
        return sum(len(journal.promised) for journal in self.journals)


def attempt(trader: Trader, terms: dict[str, object], key: str) -> Answer | None:
    """One try; None when the connection broke."""
    try:
        return trader.open(terms, key)
    except NoAnswer:
        return None


def truth(trader: Trader, terms: dict[str, object], key: str, timeout: float = 30) -> Answer:
    """Repeat with the same key until the answer is final: that is what the client is told to do."""
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        answer = attempt(trader, terms, key)
        if answer is not None and answer.status != 503 and answer.body.get("code") != "in_progress":
            return answer
        time.sleep(0.2)
    raise AssertionError(f"no final answer for key {key} in {timeout} s")
