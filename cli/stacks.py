"""A stack for verbs that drive one: the one that runs, or a private one for as long as it is needed."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli import common
from shared.devstack.state import State, free_ports, read_json

_MANAGE = [sys.executable, str(common.ROOT / "manage.py")]
_UP_SECONDS, _DOWN_SECONDS, _VERIFY_SECONDS = 180, 120, 300


class NoStack(Exception):
    """The stack cannot be used; the text has what it said."""


@dataclass(frozen=True)
class RunningStack:
    """Where a running stack is."""

    state: State
    port: int

    @property
    def staff(self) -> dict[str, str]:
        """Username and password of its staff user."""
        found: dict[str, str] = read_json(self.state.staff)
        return found

    def status(self) -> dict[str, Any]:
        """As `status --json`."""
        from cli.status import status

        return status(self.state)

    def verify(self) -> dict[str, Any]:
        """As `verify --json`, in a process of its own."""
        done = self.run("verify", "--json", seconds=_VERIFY_SECONDS)
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def must(self, verb: str, *arguments: str, seconds: float = 120) -> None:
        """Another verb on this stack. Raises NoStack when it fails."""
        done = self.run(verb, *arguments, seconds=seconds)
        if done.returncode != 0:
            raise NoStack(f"{verb}: {done.stderr[-2000:]}")

    def run(self, verb: str, *arguments: str, seconds: float) -> subprocess.CompletedProcess[str]:
        """Another verb on this stack. Raises subprocess.TimeoutExpired."""
        command = [*_MANAGE, verb, "--state", str(self.state.folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)


@contextmanager
def a_stack(state: State, *, say: Callable[[str], None], private: bool = False) -> Iterator[RunningStack]:
    """The stack of `state` if it runs (and `private` does not refuse it), else one that ends with the block.

    Raises NoStack.
    """
    known = None if private else common.running(state)
    if known is not None:
        yield RunningStack(state, known["port"])
        return
    with tempfile.TemporaryDirectory(prefix="nexus-stack-") as folder:
        stack = RunningStack(State(Path(folder) / "state"), free_ports(1)[0])
        say("starting a stack of its own")
        try:
            done = stack.run("up", "--detach", "--port", str(stack.port), seconds=_UP_SECONDS)
            if done.returncode != 0:
                raise NoStack(done.stderr[-4000:])
            yield stack
        finally:
            stack.run("down", seconds=_DOWN_SECONDS)
