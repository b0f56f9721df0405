"""Run the tests: private PostgreSQL and RabbitMQ are started once for the run and removed afterwards.

With --changed [COMMIT] only the tests of what differs from the commit (HEAD), and those of the house. Everything else
goes to pytest. NEXUS_TEST_PG, NEXUS_TEST_AMQP and NEXUS_TEST_API name servers of yours instead (administrators' URLs).
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli import common

WORKERS = "2"
SERVERS = ("NEXUS_TEST_PG", "NEXUS_TEST_AMQP", "NEXUS_TEST_API")


def main(argv: list[str]) -> int:
    """pytest's exit code."""
    if "--help" in argv or "-h" in argv:
        print(__doc__)
        argv = ["--help"]
    argv = _of_changed(argv)
    _remove_leftovers()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with servers() as names:
        os.environ.update(names)
        from shared.chassis.testing.databases import ensure_templates

        ensure_templates()
        from shared.devstack.child import die_with_parent

        command = [sys.executable, "-m", "pytest", *_parallel(argv), *argv]
        # In our own process group: the terminal's Ctrl-C and the debugger's questions are for pytest.
        running = subprocess.Popen(command, cwd=common.ROOT, preexec_fn=lambda: die_with_parent(signal.SIGKILL))  # noqa: PLW1509
        while True:
            try:
                return running.wait()
            except KeyboardInterrupt:
                continue


def _of_changed(argv: list[str]) -> list[str]:
    """`argv` with the tests that --changed means in its place."""
    if "--changed" not in argv:
        return argv
    from cli.changed import changed, tests_of

    before, after = argv[: argv.index("--changed")], argv[argv.index("--changed") + 1 :]
    since = after.pop(0) if after and not after[0].startswith("-") else "HEAD"
    tests = [path for path in tests_of(changed(since)) if (common.ROOT / path).exists()]
    print(f"nexus: {' '.join(tests)}", flush=True)
    return [*before, *tests, *after]


def _parallel(argv: list[str]) -> list[str]:
    """Two workers that begin with the fast tests, unless the user says how many or wants to look inside a few."""
    told = any(a in ("--pdb", "-s") or a.startswith(("-n", "--numprocesses", "--dist")) for a in argv)
    few = any("::" in a or a.endswith(".py") for a in argv)
    return [] if told or few else ["-n", WORKERS, "--dist", "loadgroup", "--no-loadscope-reorder"]


@contextmanager
def servers() -> Iterator[dict[str, str]]:
    """The addresses of private servers, or of those that the environment names."""
    if all(os.environ.get(name) for name in SERVERS):
        yield {name: os.environ[name] for name in SERVERS}
        return
    from shared.devstack import postgres, rabbitmq
    from shared.devstack.state import free_ports

    folder = Path(tempfile.mkdtemp(prefix="nexus-test-"))
    (folder / "pid").write_text(str(os.getpid()))
    children: list[subprocess.Popen[bytes]] = []
    try:
        print("nexus: starting PostgreSQL and RabbitMQ for the tests", flush=True)
        database_port, *ports = free_ports(5)
        database = postgres.Postgres(folder / "postgres", port=database_port, password="test", fsync=False)  # noqa: S106
        database.folder.mkdir()
        broker = rabbitmq.RabbitMQ(folder / "rabbitmq", ports=rabbitmq.BrokerPorts(*ports), password="test")  # noqa: S106
        broker.prepare()
        with (folder / "rabbitmq.log").open("wb") as log:
            children += [broker.start_epmd(log.fileno()), broker.start(log.fileno())]
        database.prepare()
        with (folder / "postgres.log").open("wb") as log:
            children.append(database.start(log.fileno()))
        postgres.wait_until_ready(database.admin_url, seconds=60)
        rabbitmq.wait_until_ready(broker.api_url, seconds=120)
        yield dict(zip(SERVERS, (database.admin_url, broker.amqp_url(), broker.api_url), strict=True))
    finally:
        for child in reversed(children):
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _remove_leftovers() -> None:
    """Folders of runs that were killed; their servers died with them."""
    for folder in Path(tempfile.gettempdir()).glob("nexus-test-*"):
        try:
            pid = int((folder / "pid").read_text())
        except (OSError, ValueError):
            continue
        if not Path(f"/proc/{pid}").exists():
            shutil.rmtree(folder, ignore_errors=True)
