"""Where figures were measured, without which they say little."""

from __future__ import annotations

import contextlib
import os
import platform
import statistics
from pathlib import Path
from typing import Any

import psycopg2

from benchmarks.bench.processes import loop_us

_SETTINGS = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_connections")


def machine() -> dict[str, Any]:
    """Cores, their speed at this moment (`loop_us`, CPU of a fixed loop), and how busy they were."""
    model = [line.partition(": ")[2] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    memory = Path("/proc/meminfo").read_text().split()[1]
    return {
        "cores": os.cpu_count(),
        "model": model[0] if model else platform.machine(),
        "memory_mb": int(memory) // 1024,
        "loop_us": round(statistics.median(loop_us() for _ in range(50)), 1),
        "load_before": os.getloadavg(),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def database_settings(admin_url: str) -> dict[str, str]:
    """What decides how much a commit costs."""
    with contextlib.closing(psycopg2.connect(admin_url)) as connection, connection.cursor() as cursor:
        found = {}
        for name in _SETTINGS:
            cursor.execute(f"SHOW {name}")
            found[name] = cursor.fetchone()[0]
        return found
