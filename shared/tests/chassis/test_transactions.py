"""What a transaction promises: all or nothing, in time, and the truth about how it ended."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from shared.chassis.context import Context, use
from shared.chassis.database import Database
from shared.chassis.errors import CommitUnknown, RetryTransaction
from shared.chassis.retry import run_again
from shared.contracts.errors import DeadlineExceeded
from shared.utils.ids import new_id

_INSERT = text(
    "INSERT INTO idempotency (user_id, route, key, request_hash, subject_id)"
    " VALUES (CAST(:id AS uuid), 'r', 'k', 'h', CAST(:id AS uuid)) ON CONFLICT DO NOTHING"
)

_INSERT_ONE = text(f"{_INSERT.text} RETURNING key")


@pytest.fixture
def db(database: Callable[[str], Database]) -> Database:
    return database("users")


def rows(db: Database) -> int:
    with db.read() as tx:
        return int(tx.execute(text("SELECT count(*) FROM idempotency")).scalar_one())


class CutAfterCommit:
    """A proxy that passes everything on, but for the answer to the first COMMIT (or `word`): there it hangs up."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.cuts = 0
        self.word = b"COMMIT"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        server = socket.create_connection(self._to)
        cut = threading.Event()

        def back() -> None:
            while data := _receive(server):
                if cut.is_set():
                    break
                client.sendall(data)
            _hang_up(client)

        threading.Thread(target=back, daemon=True).start()
        while data := _receive(client):
            if self.word in data and self.cuts == 0:
                self.cuts += 1
                cut.set()
            server.sendall(data)
        _hang_up(server)


def _hang_up(connection: socket.socket) -> None:
    # Closing alone tells the other end nothing while a thread still reads from it.
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except OSError:
        return b""


@pytest.fixture
def behind_proxy(db: Database, databases: Any) -> Iterator[tuple[Database, CutAfterCommit]]:
    parts = urlsplit(databases.url("users", "users"))
    proxy = CutAfterCommit(parts.hostname or "", parts.port or 0)
    made = Database(parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{proxy.port}").geturl())
    yield made, proxy
    made.close()
    proxy.close()


def test_a_lost_answer_to_commit_is_told_as_unknown(db: Database, behind_proxy: Any) -> None:
    through, _ = behind_proxy
    with pytest.raises(CommitUnknown), through.transaction() as tx:
        tx.execute(_INSERT, {"id": new_id()})
    # It had happened: that is why the command is run again, and not answered with "no".
    assert rows(db) == 1


def test_a_command_whose_commit_was_lost_runs_again_and_acts_once(db: Database, behind_proxy: Any) -> None:
    through, proxy = behind_proxy
    subject, runs = new_id(), []

    def command() -> str:
        runs.append(1)
        with through.transaction() as tx:
            tx.execute(_INSERT, {"id": subject})
        return "done"

    assert run_again(command) == "done"
    assert (len(runs), proxy.cuts) == (2, 1)
    assert rows(db) == 1


def test_an_error_leaves_nothing_behind(db: Database) -> None:
    with pytest.raises(ZeroDivisionError), db.transaction() as tx:
        tx.execute(_INSERT, {"id": new_id()})
        raise ZeroDivisionError
    assert rows(db) == 0


def test_past_its_deadline_nothing_is_committed(db: Database) -> None:
    with (
        use(Context(deadline=time.time() + 0.05)),
        pytest.raises(DeadlineExceeded),
        db.transaction() as tx,
    ):
        tx.execute(_INSERT, {"id": new_id()})
        time.sleep(0.1)
    assert rows(db) == 0


def test_a_statement_is_cancelled_at_the_deadline(db: Database) -> None:
    begun = time.monotonic()
    with (
        use(Context(deadline=time.time() + 0.2)),
        pytest.raises(DeadlineExceeded),
        db.transaction() as tx,
    ):
        tx.execute(text("SELECT pg_sleep(5)"))
    assert time.monotonic() - begun < 1


def test_after_the_deadline_nothing_is_begun(db: Database) -> None:
    with use(Context(deadline=time.time() - 1)), pytest.raises(DeadlineExceeded), db.transaction():
        raise AssertionError("the block must not run")


def test_an_inner_transaction_joins_the_outer(db: Database) -> None:
    with pytest.raises(ZeroDivisionError), db.transaction() as outer:
        with db.transaction() as inner:
            assert inner is outer
            inner.execute(_INSERT, {"id": new_id()})
        raise ZeroDivisionError
    assert rows(db) == 0


def test_the_pool_heals_after_all_its_sessions_were_ended(db: Database, sql: Callable[[str], Any]) -> None:
    assert rows(db) == 0
    with sql("users").cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'users'")
    subject = new_id()

    def command() -> None:
        with db.transaction() as tx:
            tx.execute(_INSERT, {"id": subject})

    run_again(command)
    assert rows(db) == 1


def test_two_that_lock_each_other_out_are_told_to_run_again(db: Database) -> None:
    first, second = new_id(), new_id()
    for one in (first, second):
        with db.transaction() as tx:
            tx.execute(_INSERT, {"id": one})
    lock = text("SELECT 1 FROM idempotency WHERE user_id = CAST(:id AS uuid) FOR UPDATE")
    outcomes: list[str] = []
    met = threading.Barrier(2)

    def work(one: str, other: str) -> None:
        try:
            with db.transaction() as tx:
                tx.execute(lock, {"id": one})
                met.wait(5)
                tx.execute(lock, {"id": other})
            outcomes.append("done")
        except RetryTransaction:
            outcomes.append("again")

    threads = [threading.Thread(target=work, args=pair) for pair in ((first, second), (second, first))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert "again" in outcomes
    assert len(outcomes) == 2


def test_one_statement_is_committed_by_itself_and_again_when_its_answer_was_lost(
    db: Database, behind_proxy: Any
) -> None:
    through, proxy = behind_proxy
    proxy.word = b"INSERT"
    subject, runs = new_id(), []

    def command() -> str:
        runs.append(1)
        through.once(_INSERT_ONE, {"id": subject})
        return "done"

    assert run_again(command) == "done"
    assert (len(runs), proxy.cuts) == (2, 1)
    assert rows(db) == 1


def test_one_statement_is_part_of_the_transaction_around_it(db: Database) -> None:
    with pytest.raises(ZeroDivisionError), db.transaction():
        db.once(_INSERT_ONE, {"id": new_id()})
        raise ZeroDivisionError
    assert rows(db) == 0


def test_one_statement_ends_at_a_near_deadline(db: Database) -> None:
    begun = time.monotonic()
    with use(Context(deadline=time.time() + 0.3)), pytest.raises(DeadlineExceeded):
        db.once(text("SELECT pg_sleep(1)"), {})
    assert time.monotonic() - begun < 0.9
    with use(Context(deadline=time.time() - 1)), pytest.raises(DeadlineExceeded):
        db.once(_INSERT_ONE, {"id": new_id()})
    assert rows(db) == 0
