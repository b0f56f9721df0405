"""The service's own database: short transactions, bounded in time, that say truthfully how they ended.

Works under eventlet (psycopg2 yields to the hub there) and in plain threads, so that commands can be
called and tested without any service around them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Any

import psycopg2
import psycopg2.extensions as pg
from sqlalchemy import Connection, Row, TextClause, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from shared.chassis import context
from shared.chassis.database_errors import away, lost, meaning
from shared.chassis.wake import Wake
from shared.contracts.errors import ServiceUnavailable

STATEMENT_MS = 1500
"""Longest statement of a call, in milliseconds: below the deadline that callers set."""
BATCH_STATEMENT_MS = 15_000
"""The same for a batch of events, which nobody waits for."""
_CONNECT_SECONDS = 3.0
# How long a command waits for one of the pool's connections, if its deadline lets it.
_POOL_SECONDS = 1.0
_WAKE = "nexus_wake"
_OPTIONS = {
    "statement_timeout": f"{STATEMENT_MS}ms",
    "lock_timeout": "500ms",
    "idle_in_transaction_session_timeout": "5s",
    "client_connection_check_interval": "1s",
    "timezone": "UTC",
}


@dataclass(frozen=True, slots=True)
class _Unit:
    """The transaction that is open in this greenthread, thread or task."""

    database: Database
    connection: Connection


_open: ContextVar[_Unit | None] = ContextVar("nexus_transaction", default=None)


class Database:
    """A pool of connections to one database.

    Raises RetryTransaction (CommitUnknown when a COMMIT was under way) where the same command should run again.
    """

    def __init__(self, url: str | None, *, pool_size: int = 5) -> None:
        if not url:
            raise ServiceUnavailable("no database is configured")
        self.url = make_url(url).set(drivername="postgresql+psycopg2")
        self.engine = create_engine(
            self.url,
            isolation_level="AUTOCOMMIT",  # BEGIN and COMMIT are ours: see `transaction`
            pool_size=pool_size,
            max_overflow=0,
            pool_use_lifo=True,
            pool_reset_on_return=None,  # a connection that is not idle is thrown away: see `_connection`
            connect_args={
                "options": " ".join(f"-c {name}={value}" for name, value in _OPTIONS.items()),
                "connect_timeout": int(_CONNECT_SECONDS),
                "keepalives_idle": 10,
                "keepalives_interval": 3,
                "keepalives_count": 3,
                "tcp_user_timeout": 10_000,
            },
        )
        event.listen(self.engine, "do_connect", _connect_bounded)
        # The pool's own wait knows one bound for all; here it is the caller's deadline.
        self._free = BoundedSemaphore(pool_size)
        self._wake = Wake(self.url.username or "")

    @contextmanager
    def transaction(self, *, statement_ms: int = STATEMENT_MS) -> Iterator[Connection]:
        """One transaction; inside another one of this database it joins that.

        The deadline of the context bounds each statement and is tested before COMMIT. Raises DeadlineExceeded,
        ServiceUnavailable (no free connection), RetryTransaction, CommitUnknown; every error rolls back.
        """
        joined = _open.get()
        if joined is not None and joined.database is self:
            yield joined.connection
            return
        asked = context.current()
        asked.check_deadline()
        left = asked.time_left()
        bound = statement_ms if left is None else max(1, min(statement_ms, int(left * 1000)))
        committing = False
        with self._connection(begin=f"BEGIN; SET LOCAL statement_timeout = {bound}") as connection:
            token = _open.set(_Unit(self, connection))
            try:
                yield connection
                asked.check_deadline()
                _check_whole(connection)
                committing = True
                connection.exec_driver_sql("COMMIT")
            except DBAPIError as error:
                _roll_back(connection)
                raise meaning(error, committing=committing) from error
            except Exception:
                _roll_back(connection)
                raise
            finally:
                _open.reset(token)
            wake = connection.info.pop(_WAKE, False)
        if wake:
            self._wake.send()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for SELECTs, each of which is a transaction of its own: half the round trips of `transaction`.

        Inside a transaction it is that one's. Raises as `transaction` does.
        """
        joined = _open.get()
        if joined is not None and joined.database is self:
            yield joined.connection
            return
        context.current().check_deadline()
        with self._connection() as connection:
            try:
                yield connection
            except DBAPIError as error:
                raise meaning(error, committing=False) from error

    def once(self, statement: TextClause, values: Mapping[str, Any], *, tells: bool = False) -> Sequence[Row[Any]]:
        """The rows of one statement that is a transaction of its own: a third of the round trips of `transaction`.

        It must be safe to run again, like a command. `tells`: it writes events. Inside a transaction it is part of
        that. Raises as `transaction` does; a lost connection is CommitUnknown.
        """
        joined = _open.get()
        left = context.current().time_left()
        if joined is not None or (left is not None and left * 1000 < STATEMENT_MS):
            # The server bounds the statement only by what every connection has: a nearer deadline needs one of its own.
            with self.transaction() as tx:
                rows = tx.execute(statement, values).all()
                if tells:
                    wake_relay(tx)
                return rows
        with self._connection() as connection:
            try:
                rows = connection.execute(statement, values).all()
            except DBAPIError as error:
                raise meaning(error, committing=True) from error
        if tells:
            self._wake.send()
        return rows

    def close(self) -> None:
        """Closes the connections that are not in use."""
        self.engine.dispose()
        self._wake.close()

    @contextmanager
    def _connection(self, begin: str | None = None) -> Iterator[Connection]:
        left = context.current().time_left()
        if not self._free.acquire(timeout=_POOL_SECONDS if left is None else max(0.0, min(_POOL_SECONDS, left))):
            raise ServiceUnavailable("no free database connection")
        try:
            connection = self._begin(begin)
            try:
                yield connection
            finally:
                # Interrupted (a timeout of eventlet, a kill) or not rolled back: the next user must not get it so.
                if not connection.invalidated and _status(connection) != pg.TRANSACTION_STATUS_IDLE:
                    connection.info.pop(_WAKE, None)
                    connection.invalidate()
                connection.close()
        finally:
            self._free.release()

    def _begin(self, begin: str | None) -> Connection:
        # After a restart of the server every pooled connection is dead, which BEGIN finds out for nothing: the pool
        # then drops them all, and the second connection is a new one.
        for last in (False, True):
            try:
                connection = self.engine.connect()
            except DBAPIError as error:
                raise away(error) from error
            try:
                if begin is not None:
                    connection.exec_driver_sql(begin)
                return connection
            except DBAPIError as error:
                connection.invalidate()
                connection.close()
                if last or not lost(error):
                    raise meaning(error, committing=False) from error
        raise AssertionError("unreachable")


def wake_relay(tx: Connection) -> None:
    """Notes that the transaction wrote events: its COMMIT will wake the relay."""
    tx.info[_WAKE] = True


def _status(connection: Connection) -> int:
    raw: Any = connection.connection.dbapi_connection
    return int(raw.info.transaction_status) if not raw.closed else pg.TRANSACTION_STATUS_UNKNOWN


def _check_whole(connection: Connection) -> None:
    # COMMIT of a transaction that an error has aborted is a rollback, and the server calls it a success.
    if _status(connection) == pg.TRANSACTION_STATUS_INERROR:
        raise RuntimeError("the transaction was aborted by an error that the command has swallowed")


def _roll_back(connection: Connection) -> None:
    if connection.invalidated:
        return
    connection.info.pop(_WAKE, None)
    with suppress(DBAPIError):
        connection.exec_driver_sql("ROLLBACK")


def _connect_bounded(dialect: Any, record: Any, args: Any, kwargs: Any) -> Any:
    left = context.current().time_left()
    bound = _CONNECT_SECONDS if left is None else max(0.05, min(_CONNECT_SECONDS, left))
    with _green_timeout(bound):
        return dialect.loaded_dbapi.connect(*args, **kwargs)


def _green_timeout(seconds: float) -> Any:
    # psycopg2's connect_timeout is not looked at while eventlet waits for the socket.
    eventlet = sys.modules.get("eventlet")
    if eventlet is None or not eventlet.patcher.is_monkey_patched("socket"):
        return nullcontext()
    return eventlet.Timeout(seconds, psycopg2.OperationalError("connecting took too long"))
