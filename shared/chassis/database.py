"""The service's own database: short transactions, bounded in time, that say truthfully how they ended.

Works under eventlet (psycopg2 yields to the hub there) and in plain threads, so that commands can be
called and tested without any service around them.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from logging import getLogger
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.chassis import context
from shared.chassis.errors import CommitUnknown, RetryTransaction
from shared.contracts.errors import DeadlineExceeded, ServiceUnavailable
from shared.settings.env import env

log = getLogger(__name__)

STATEMENT_MS = 1500
"""Longest statement of a call, in milliseconds: below the deadline that callers set."""
BATCH_STATEMENT_MS = 15_000
"""The same for a batch of events, which nobody waits for."""
_CONNECT_SECONDS = 3
_POOL_SECONDS = 1.0
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_ROLLED_BACK = frozenset({"40001", "40P01", "55P03"})  # serialization failure, deadlock, lock not available
_STARTING = frozenset({"57P01", "57P02", "57P03", "25P03"})  # shutting down, crash, starting up, idle in transaction
_CANCELLED = "57014"
_WAKE = "nexus_wake"


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
        options = {
            "statement_timeout": f"{STATEMENT_MS}ms",
            "lock_timeout": "500ms",
            "idle_in_transaction_session_timeout": "5s",
            "client_connection_check_interval": "1s",
            "timezone": "UTC",
        }
        self.engine = create_engine(
            self.url,
            isolation_level="AUTOCOMMIT",  # BEGIN and COMMIT are ours: see `transaction`
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=_POOL_SECONDS,
            pool_use_lifo=True,
            pool_reset_on_return=None,
            connect_args={
                "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
                "connect_timeout": _CONNECT_SECONDS,
                "keepalives_idle": 10,
                "keepalives_interval": 3,
                "keepalives_count": 3,
            },
        )
        event.listen(self.engine, "do_connect", _connect_bounded)
        self._wake = _Wake(self.url.username or "")

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
        connection = self._connect()
        token = _open.set(_Unit(self, connection))
        committing = False
        try:
            connection.exec_driver_sql(f"BEGIN; SET LOCAL statement_timeout = {bound}")
            yield connection
            asked.check_deadline()
            committing = True
            connection.exec_driver_sql("COMMIT")
        except DBAPIError as error:
            self._roll_back(connection)
            raise _meaning(error, committing=committing) from error
        except BaseException as error:
            if isinstance(error, Exception):
                self._roll_back(connection)
            else:
                # Interrupted (a timeout of eventlet, a kill): the statement may still run on this connection.
                connection.invalidate()
            raise
        finally:
            _open.reset(token)
            wake = not connection.invalidated and connection.info.pop(_WAKE, False)
            connection.close()
        if wake:
            self._wake.send()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for single SELECTs, each its own transaction: half the round trips of `transaction`.

        Inside a transaction it is that one's. Raises as `transaction` does.
        """
        joined = _open.get()
        if joined is not None and joined.database is self:
            yield joined.connection
            return
        context.current().check_deadline()
        connection = self._connect()
        try:
            yield connection
        except DBAPIError as error:
            raise _meaning(error, committing=False) from error
        except BaseException as error:
            if not isinstance(error, Exception):
                connection.invalidate()
            raise
        finally:
            connection.close()

    def close(self) -> None:
        """Closes the connections that are not in use."""
        self.engine.dispose()

    def _connect(self) -> Connection:
        try:
            return self.engine.connect()
        except PoolTimeout:
            raise ServiceUnavailable("no free database connection") from None
        except DBAPIError as error:
            raise RetryTransaction(f"no database connection: {error.orig}") from error

    @staticmethod
    def _roll_back(connection: Connection) -> None:
        if connection.invalidated:
            return
        connection.info.pop(_WAKE, None)
        try:
            connection.exec_driver_sql("ROLLBACK")
        except DBAPIError:
            with suppress(Exception):
                connection.invalidate()


def wake_relay(tx: Connection) -> None:
    """Notes that the transaction wrote events: its COMMIT will wake the relay."""
    tx.info[_WAKE] = True


def _meaning(error: DBAPIError, *, committing: bool) -> Exception:
    code = getattr(error.orig, "pgcode", None)
    if error.connection_invalidated or code in _STARTING or (code is None and "closed" in str(error.orig)):
        if committing:
            return CommitUnknown("the connection was lost during COMMIT")
        return RetryTransaction("the connection was lost")
    if code in _ROLLED_BACK:
        return RetryTransaction(f"rolled back by the server ({code})")
    if code == _CANCELLED:
        return DeadlineExceeded("a statement took too long")
    return error


def _connect_bounded(dialect: Any, record: Any, args: Any, kwargs: Any) -> Any:
    # psycopg2's connect_timeout is not looked at while eventlet waits for the socket.
    with _green_timeout(_CONNECT_SECONDS):
        return dialect.loaded_dbapi.connect(*args, **kwargs)


def _green_timeout(seconds: float) -> Any:
    eventlet = sys.modules.get("eventlet")
    if eventlet is None or not eventlet.patcher.is_monkey_patched("socket"):
        return nullcontext()
    import psycopg2

    return eventlet.Timeout(seconds, psycopg2.OperationalError("connecting took too long"))


class _Wake:
    """Tells the relay that there is work, by a datagram that may get lost: the relay looks by itself too."""

    def __init__(self, name: str) -> None:
        host, _, port = (env.get("RELAY_WAKE") or "").partition(":")
        self._address = (host, int(port)) if port else None
        self._name = name.encode()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM) if self._address else None
        if self._socket is not None:
            self._socket.setblocking(False)

    def send(self) -> None:
        if self._socket is not None and self._address is not None:
            with suppress(OSError):
                self._socket.sendto(self._name, self._address)
