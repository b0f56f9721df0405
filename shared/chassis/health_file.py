"""What a process says of its own health, for the supervisor: `$HEALTH_DIR/<name>.json`, written anew each second."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from shared.settings.env import env


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The state of one process. `at` is in seconds since the epoch; `detail` says what each failed check found."""

    name: str
    healthy: bool
    checks: dict[str, bool]
    detail: dict[str, str] = field(default_factory=dict)
    pid: int = field(default_factory=os.getpid)
    at: float = field(default_factory=time.time)

    @classmethod
    def of(cls, name: str, problems: dict[str, str | None]) -> Report:
        """A report from what each check found: None is fine."""
        detail = {check: problem for check, problem in problems.items() if problem is not None}
        return cls(
            name=name, healthy=not detail, checks={check: check not in detail for check in problems}, detail=detail
        )

    @classmethod
    def starting(cls, name: str, what: str, problem: str) -> Report:
        """Not up yet, and why."""
        return cls.of(name, {what: f"not reached yet: {problem}"})


def write(report: Report) -> None:
    """Replaces the process's health file in one step; without HEALTH_DIR there is none."""
    directory = env.get("HEALTH_DIR")
    if not directory:
        return
    path = Path(directory) / f"{env.get('PROCESS_NAME') or report.name}.json"
    partial = path.with_suffix(f".{report.pid}")
    with suppress(OSError):
        partial.write_text(json.dumps(asdict(report)))
        partial.replace(path)
