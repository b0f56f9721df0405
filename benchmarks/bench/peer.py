"""Another server to be measured beside: started from a folder of its own, on a PostgreSQL and packages of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import psycopg2

from client.http import Http, NoAnswer
from shared.devstack import child
from shared.devstack.postgres import Postgres, wait_until_ready
from shared.devstack.state import free_ports

_NAME = "nexus_peer"
_INSTALL_SECONDS, _START_SECONDS, _STOP_SECONDS = 600, 90, 20


class NoPeer(Exception):
    """It cannot be had; the text says why."""


@dataclass(frozen=True)
class Peer:
    """A running monolith. `groups`: the process that began it, and its PostgreSQL."""

    port: int
    groups: dict[str, int]


@contextmanager
def a_monolith(folder: Path, state: Path, *, say: Callable[[str], None]) -> Iterator[Peer]:
    """Runs `folder/django_monolith/run.sh` for as long as the block lasts; `state` keeps its packages between runs.

    Raises NoPeer.
    """
    script = folder / "django_monolith" / "run.sh"
    if not script.is_file():
        raise NoPeer(f"there is no {script}")
    state.mkdir(parents=True, exist_ok=True)
    venv = _packages(script.parent / "requirements.txt", state / "venv", say)
    server_port, database_port = free_ports(2)
    database = Postgres(state / "postgres", port=database_port, password=_NAME)
    with contextlib.ExitStack() as stack:
        log = stack.enter_context((state / "peer.log").open("wb"))
        database.folder.mkdir(exist_ok=True)
        database.prepare()
        postgres = stack.enter_context(_until_end(database.start(log), signal.SIGINT))
        wait_until_ready(database.admin_url, seconds=30, alive=lambda: postgres.poll() is None)
        _fresh_database(database.admin_url)
        settings = {"VENV": str(venv), "DB_HOST": "127.0.0.1", "DB_PORT": str(database_port)}
        settings |= dict.fromkeys(("DB_NAME", "DB_USER", "DB_PASSWORD"), _NAME)
        server = stack.enter_context(_until_end(_start(script, server_port, settings, log), signal.SIGTERM))
        _until_answered(server, server_port, Path(log.name))
        yield Peer(server_port, {"app": server.pid, "postgres": postgres.pid})


def _packages(requirements: Path, venv: Path, say: Callable[[str], None]) -> Path:
    """An environment with the peer's own packages."""
    stamp = venv / "requirements"
    if not (stamp.is_file() and stamp.read_bytes() == requirements.read_bytes()):
        say("installing the packages of the peer")
        pip = [str(venv / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", "-r", str(requirements)]
        for command in ([sys.executable, "-m", "venv", str(venv)], pip):
            done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False)
            if done.returncode != 0:
                raise NoPeer(f"its packages cannot be installed: {done.stderr[-1000:]}")
        stamp.write_bytes(requirements.read_bytes())
    return venv


def _fresh_database(admin_url: str) -> None:
    with contextlib.closing(psycopg2.connect(admin_url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {_NAME} WITH (FORCE)")
            cursor.execute(f"DROP ROLE IF EXISTS {_NAME}")
            cursor.execute(f"CREATE ROLE {_NAME} LOGIN PASSWORD '{_NAME}'")
            cursor.execute(f"CREATE DATABASE {_NAME} OWNER {_NAME}")


def _start(script: Path, port: int, settings: dict[str, str], log: BinaryIO) -> child.Running:
    # As root the script makes role and database with the machine's own PostgreSQL; ours has them already.
    ordinary = child.enter_user_namespace if os.geteuid() == 0 else None
    env = {name: value for name, value in os.environ.items() if not name.startswith("NEXUS_")}
    return child.spawn(
        ["bash", str(script), str(port)], env=env | settings, cwd=script.parent, output=log, before=ordinary
    )


def _until_answered(server: child.Running, port: int, log: Path) -> None:
    http, until = Http(port), time.monotonic() + _START_SECONDS
    try:
        while True:
            with contextlib.suppress(NoAnswer):
                http.send("GET", "/trades", None, {})
                return
            if server.poll() is not None or time.monotonic() > until:
                raise NoPeer(f"it did not start: {log.read_text(errors='replace')[-1000:]}")
            time.sleep(0.2)
    finally:
        http.close()


@contextmanager
def _until_end(process: child.Running, number: int) -> Iterator[child.Running]:
    try:
        yield process
    finally:
        process.send_signal(number)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
