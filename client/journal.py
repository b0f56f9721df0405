"""What a client was promised, written down as it was promised, to be compared with what is there in the end."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from client.http import Answer

ALLOWED = frozenset({409, 503})
"""Beside 2xx, all that a client may be told while processes die."""


@dataclass(frozen=True)
class Request:
    """One thing that was asked for, once, under its key. `what` is open, deposit, complete, void or close."""

    what: str
    method: str
    path: str
    body: Any
    key: str
    account_id: str


@dataclass
class Journal:
    """One client's; written by one thread, read when it has ended."""

    promised: list[tuple[Request, Any, float]] = field(default_factory=list)
    """Answered 2xx: the answer's body, and when (seconds since the run began)."""
    refused: list[tuple[Request, str]] = field(default_factory=list)
    """Finally refused, with the code."""
    unknown: list[Request] = field(default_factory=list)
    """Without a final answer so far."""
    strange: list[str] = field(default_factory=list)
    """Answers that no client should ever get."""
    outcomes: list[tuple[str, str, float]] = field(default_factory=list)
    """What was asked, how it was answered ("broken" for a broken connection), and when, in order."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, request: Request, answer: Answer | None, at: float) -> None:
        """Files an answer, or None for a connection that broke."""
        with self.lock:
            self.outcomes.append((request.what, str(answer.status) if answer else "broken", at))
            if answer is None or not answer.final:
                self.unknown.append(request)
            elif answer.status < 300:
                self.promised.append((request, answer.body, at))
            elif answer.status in ALLOWED:
                self.refused.append((request, answer.code))
            else:
                self.strange.append(f"{request.method} {request.path}: {answer.status} {answer.body}")

    def note_read(self, path: str, answer: Answer) -> None:
        """A read promises nothing, but its answer must be one that there may be."""
        if answer.status not in (200, 503):
            self.strange.append(f"GET {path}: {answer.status} {answer.body}")

    def statuses(self) -> Counter[str]:
        """How many answers of each status there were."""
        return Counter(status for _, status, _ in self.outcomes)

    def of(self, what: str) -> list[tuple[Request, Any]]:
        """What was promised of one sort."""
        return [(request, body) for request, body, _ in self.promised if request.what == what]
