"""Starting processes that die with the one that started them."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

_PR_SET_PDEATHSIG = 1
_CLONE_NEWUSER = 0x10000000
_libc = ctypes.CDLL(None, use_errno=True)

Running = subprocess.Popen[bytes]


def die_with_parent(number: int) -> None:
    """Asks the kernel for signal `number` when the thread that forked us ends, however it ends (Linux)."""
    _libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)


def enter_user_namespace() -> None:
    """Makes root an ordinary user inside a user namespace of its own: files stay root's, no user is created.

    PostgreSQL refuses to run as uid 0. Raises OSError where the kernel or a container does not allow it.
    """
    if _libc.unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWUSER)")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text("1000 0 1")
    Path("/proc/self/gid_map").write_text("1000 0 1")


def spawn(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    output: IO[bytes] | int | None,
    death: int = signal.SIGKILL,
    before: Callable[[], None] | None = None,
    keep: Sequence[int] = (),
) -> Running:
    """A child in a session of its own that gets signal `death` when this process ends.

    Call it from the main thread: the kernel watches the thread, not the process. `before` runs in the child first;
    `keep` are descriptors that the child inherits.
    """
    parent = os.getpid()

    def prepare() -> None:
        if before is not None:
            before()
        die_with_parent(death)
        if os.getppid() not in (parent, 0):
            os._exit(1)  # the parent ended before we asked

    return subprocess.Popen(
        list(argv),
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        start_new_session=True,
        pass_fds=tuple(keep),
        preexec_fn=prepare,  # noqa: PLW1509  # one thread, and exec follows at once
    )


def run(argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, before: Callable[[], None] | None = None) -> None:
    """Runs a command to its end. Raises RuntimeError with the end of its output when it fails."""
    done: subprocess.CompletedProcess[Any] = subprocess.run(
        list(argv),
        env=dict(env),
        cwd=cwd,
        capture_output=True,
        preexec_fn=before,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(
            f"{Path(argv[0]).name} failed: {(done.stdout + done.stderr)[-2000:].decode(errors='replace')}"
        )
