"""CPU and memory of groups of processes."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys

import pytest

from benchmarks.bench.processes import Meter, listener

BURN = "import time; until = time.process_time() + {}\nwhile time.process_time() < until: pass"
PARENT = f"""
import subprocess, sys
sys.stdin.readline()
subprocess.run([sys.executable, "-c", {BURN.format(0.4)!r}])
print("done", flush=True)
sys.stdin.readline()
"""


def test_a_child_that_has_ended_counts_for_the_one_that_made_it() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None

        async def measured() -> Meter:
            async with Meter({"parent": parent.pid}) as meter:
                parent.stdin.write(b"go\n")  # type: ignore[union-attr]
                parent.stdin.flush()  # type: ignore[union-attr]
                await asyncio.to_thread(parent.stdout.readline)  # type: ignore[union-attr]
            return meter

        used = asyncio.run(measured()).used
        parent.stdin.close()
    assert used.cpu["parent"] == pytest.approx(0.43, abs=0.12)
    assert used.memory["parent"] > 1
    assert used.generator < 0.3


def test_who_listens_on_a_port() -> None:
    code = (
        "import socket, sys; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert listener(int(server.stdout.readline())) == server.pid
        server.communicate(b"\n")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(LookupError):
        listener(port)
