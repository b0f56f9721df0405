"""What processes use, from /proc: CPU by group while something runs, memory at its end, and how busy the rest was."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

TICKS = os.sysconf("SC_CLK_TCK")
_SAMPLE_SECONDS = 0.25
T = TypeVar("T")


@dataclass(frozen=True)
class Used:
    """Seconds of CPU; memory in MB, pages that several processes share divided among them (PSS)."""

    seconds: float
    cpu: dict[str, float]
    memory: dict[str, float]
    generator: float
    others: float
    """All other processes of the machine, and what its host took away."""
    loop_us: float
    """CPU of a fixed loop meanwhile: how fast the machine was."""


class Meter:
    """Watches groups of processes: name → the process that began the group, which counts with all that it started.

    async with Meter(groups) as meter: …
    meter.used
    """

    used: Used

    def __init__(self, groups: Mapping[str, int]) -> None:
        self._groups = dict(groups)

    async def __aenter__(self) -> Self:
        self._loops: list[float] = []
        self._before = {name: cpu_seconds(pid) for name, pid in self._groups.items()}
        self._own, self._machine, self._begun = time.process_time(), _machine(), time.perf_counter()
        self._task = asyncio.create_task(self._sample())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        seconds = time.perf_counter() - self._begun
        own, machine = time.process_time() - self._own, _machine() - self._machine
        cpu = {name: cpu_seconds(pid) - self._before[name] for name, pid in self._groups.items()}
        self.used = Used(
            seconds=seconds,
            cpu=cpu,
            memory={name: _memory(pid) for name, pid in self._groups.items()},
            generator=own,
            others=max(0.0, machine - own - sum(cpu.values())),
            loop_us=statistics.median(self._loops or [loop_us()]),
        )

    async def _sample(self) -> None:
        while True:
            await asyncio.sleep(_SAMPLE_SECONDS)
            self._loops.append(loop_us())


def loop_us() -> float:
    """Microseconds of CPU for a loop that is always the same. On a shared host it varies by a factor of two."""
    begun, total = time.thread_time(), 0
    for number in range(5000):
        total += number % 7
    return 1e6 * (time.thread_time() - begun)


def listener(port: int) -> int:
    """The process that listens on a TCP port of this machine. Raises LookupError."""
    import psutil  # type: ignore[import-untyped]  # for development only

    for one in psutil.net_connections("tcp"):
        if one.status == psutil.CONN_LISTEN and one.laddr.port == port and one.pid:
            return int(one.pid)
    raise LookupError(f"nobody listens on {port}")


def cpu_seconds(root: int) -> float:
    """CPU so far of a process, of its living descendants, and of those that ended and were waited for."""
    return sum(sum(int(field) for field in fields[11:15]) for fields in map(_stat, _tree(root)) if fields) / TICKS


def _memory(root: int) -> float:
    return sum(_pss(pid) for pid in _tree(root)) / 1024


def _pss(pid: int) -> int:
    text = _read(lambda: Path(f"/proc/{pid}/smaps_rollup").read_text()) or ""
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")), 0)


def _tree(root: int) -> list[int]:
    found = [root]
    for pid in found:
        for task in _read(lambda pid=pid: list(Path(f"/proc/{pid}/task").iterdir())) or []:  # type: ignore[misc]
            found += map(int, (_read(lambda task=task: (task / "children").read_text()) or "").split())  # type: ignore[misc]
    return found


def _stat(pid: int) -> list[str]:
    """The fields of `stat` from the state on (which is the third)."""
    return (_read(lambda: Path(f"/proc/{pid}/stat").read_text()) or "").rpartition(") ")[2].split()


def _machine() -> float:
    user, nice, system, _, _, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICKS


def _read(what: Callable[[], T]) -> T | None:
    """None for a process that has ended meanwhile."""
    try:
        return what()
    except OSError:
        return None
