"""One supervised process: started, watched, started again with back-off, stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.devstack.logs import Log
from shared.devstack.state import read_json

BACK_OFF = (0.2, 0.5, 1.0, 2.0, 4.0, 10.0)
"""Seconds before a crashed process is started again; from the beginning after `STEADY` seconds of life."""
STEADY = 10.0
FRESH = 5.0
"""Seconds after which a health report is too old to be believed."""
HUNG = 15.0
"""Seconds without a healthy sign after which a process that lives is taken for hung, and killed."""

Start = Callable[[int], "subprocess.Popen[bytes]"]
Probe = Callable[[], "str | None"]


@dataclass
class Process:
    """`start` gets the descriptor for the output. `probe`: for servers of others, which write no health file."""

    name: str
    kind: str
    start: Start
    log: Log
    health_file: Path | None = None
    probe: Probe | None = None
    stop_signal: int = signal.SIGTERM
    listed: bool = True
    wanted: bool = False
    child: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    begun_at: float = 0.0
    seen_at: float = 0.0
    """When it was last found alive and answering (monotonic); 0 before the first time."""
    problem: str | None = "not started"
    _failures: int = 0
    _next_start: float = 0.0

    @property
    def pid(self) -> int | None:
        return self.child.pid if self.child is not None else None

    @property
    def alive(self) -> bool:
        return self.child is not None and self.child.poll() is None

    def tick(self) -> bool:
        """Starts it when it is due, notices its end and its hanging; whether anything changed."""
        now = time.monotonic()
        if self.child is not None and self.child.poll() is not None:
            self._ended(now)
            return True
        if self.wanted and self.child is None and now >= self._next_start:
            self._begin(now)
            return True
        if self.child is not None and self.seen_at and now - self.seen_at > HUNG:
            self.log.note(f"{self.name} has not answered for {HUNG:g} s ({self.problem}): killed")
            self.seen_at = 0.0
            self.signal(signal.SIGKILL)
        return False

    def look(self) -> None:
        """Finds out how it is; probes may take a second, so this runs beside the loop that starts processes."""
        if not self.alive:
            self.problem = "not running"
            return
        if self.probe is not None:
            self.problem = self.probe()
            if self.problem is None:
                self.seen_at = time.monotonic()
            return
        report = self._report()
        if report is None:
            self.problem = "no fresh health report"
            return
        # A report that says "broker away" is a sign of life: killing its writer would not bring the broker back.
        self.seen_at = time.monotonic()
        self.problem = None if report["healthy"] else "; ".join(f"{k}: {v}" for k, v in report["detail"].items())

    def signal(self, number: int) -> None:
        if self.child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.child.pid, number)

    def kill_group(self) -> None:
        """Ends what is left of its session: workers of a dead postmaster would keep its memory."""
        if self.child is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.child.pid, signal.SIGKILL)

    def _begin(self, now: float) -> None:
        try:
            self.child = self.start(self.log.input)
        except OSError as error:
            self.log.note(f"{self.name} cannot be started: {error}")
            self._later(now)
            return
        self.begun_at, self.seen_at, self.problem = now, 0.0, "starting"

    def _ended(self, now: float) -> None:
        code = self.child.returncode if self.child is not None else 0
        self.kill_group()
        how = f"by signal {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
        self.child, self.problem = None, f"ended {how}"
        if self.wanted:
            if now - self.begun_at > STEADY:
                self._failures = 0
            self.restarts += 1
            self._later(now)
            self.log.note(f"{self.name} ended {how}; starting it again in {self._next_start - now:.1f} s")

    def _later(self, now: float) -> None:
        self._next_start = now + BACK_OFF[min(self._failures, len(BACK_OFF) - 1)]
        self._failures += 1

    def _report(self) -> dict[str, Any] | None:
        report = read_json(self.health_file) if self.health_file is not None else None
        if not isinstance(report, dict) or report.get("pid") != self.pid or time.time() - report.get("at", 0) > FRESH:
            return None
        return report
