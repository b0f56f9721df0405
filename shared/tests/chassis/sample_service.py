"""A service with one of everything that the chassis promises, run by the tests as a real process."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kombu
from nameko.extensions import Entrypoint
from sqlalchemy import text

from shared.chassis.consumer import Consumer
from shared.chassis.context import current
from shared.chassis.errors import CommitUnknown, RetryTransaction
from shared.chassis.health import Watch
from shared.chassis.rpc.client import RpcTo
from shared.chassis.rpc.server import rpc
from shared.chassis.service import Service
from shared.contracts.errors import Conflict, FieldError, ServiceError


class OutOfStock(ServiceError):
    status, code, title = 409, "test_out_of_stock", "Out of stock"


@dataclass(frozen=True, kw_only=True)
class Note:
    note: str
    times: int = 1


@dataclass(frozen=True, kw_only=True)
class Wait:
    mark: str
    milliseconds: int


@dataclass(frozen=True, kw_only=True)
class Ask:
    method: str
    arguments: dict[str, Any]
    timeout_ms: int = 2000


@dataclass(frozen=True, kw_only=True)
class Fail:
    how: str


class Marks(Consumer):
    """A connection of its own for the durable queue."""


class Listen(Entrypoint):
    """Writes each message of `<name>.events` to the journal, slowly, one worker for all."""

    queue_consumer = Marks()
    prefetch = 10

    def setup(self) -> None:
        self.queue = kombu.Queue(f"{self.container.service_name}.events", no_declare=True)
        self.queue_consumer.register_provider(self)

    def stop(self) -> None:
        self.queue_consumer.unregister_provider(self)

    def handle_message(self, body: Any, message: Any) -> None:
        self.container.spawn_worker(self, (body,), {}, handle_result=lambda *_: self._done(message, *_))

    def _done(self, message: Any, worker_ctx: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
        self.queue_consumer.ack_message(message)
        return result, exc_info


def write(mark: str) -> None:
    with Path(os.environ["JOURNAL"]).open("a") as journal:
        journal.write(mark + "\n")


class Sample:
    name = os.environ.get("SAMPLE_NAME", "alpha")
    peer = RpcTo(os.environ.get("SAMPLE_PEER", "beta"))
    watch = Watch()

    @rpc(Note)
    def echo(self, request: Note) -> dict[str, Any]:
        return {"note": request.note * request.times}

    @rpc
    def who(self) -> dict[str, Any]:
        context = current()
        idempotency = context.idempotency
        return {
            "user_id": context.user_id,
            "roles": list(context.roles),
            "kind": context.kind,
            "session_id": context.session_id,
            "correlation_id": context.correlation_id,
            "causation_id": context.causation_id,
            "ip": context.ip,
            "user_agent": context.user_agent,
            "request_id": context.request_id,
            "idempotency": None
            if idempotency is None
            else [idempotency.key, idempotency.route, idempotency.request_hash],
            "time_left": context.time_left(),
        }

    @rpc(Wait)
    def wait(self, request: Wait) -> dict[str, Any]:
        write(f"begin {request.mark}")
        time.sleep(request.milliseconds / 1000)
        write(f"end {request.mark}")
        return {"mark": request.mark}

    @rpc(Ask)
    def ask(self, request: Ask) -> Any:
        return getattr(self.peer, request.method)(timeout=request.timeout_ms / 1000, **request.arguments)

    @rpc(Fail)
    def fail(self, request: Fail) -> dict[str, Any]:
        write(f"fail {request.how}")
        match request.how:
            case "foreign":
                raise ValueError("the password is hunter2")
            case "conflict":
                raise Conflict("taken", extra={"by": "somebody"})
            case "own":
                raise OutOfStock(errors=[FieldError(field="size", code="sold_out", message="No more of it")])
            case "rolled_back":
                raise RetryTransaction("serialization failure")
            case "commit_unknown":
                raise CommitUnknown("connection lost in COMMIT")
            case "once" if not hasattr(Sample, "_failed"):
                Sample._failed = True  # type: ignore[attr-defined]
                raise RetryTransaction("deadlock")
        return {"nan": float("nan")} if request.how == "nan" else {"done": True}

    @rpc(inline=True)
    def health(self) -> dict[str, Any]:
        report = self.watch.report
        return {"healthy": report.healthy, "checks": report.checks, "detail": report.detail}

    @rpc
    def keep_breaking_the_channel(self) -> dict[str, Any]:
        """For three seconds acknowledges what was never delivered: the broker closes the channel for it."""
        marks = next(e for e in self.watch.container.extensions if isinstance(e, Marks))
        for _ in range(30):
            for consumer in list(marks._consumers.values()):
                consumer.channel.basic_ack(4242)
            time.sleep(0.1)
        return {}

    @rpc
    def close_the_channel(self) -> dict[str, Any]:
        """Closes it behind the consumer's back."""
        marks = next(e for e in self.watch.container.extensions if isinstance(e, Marks))
        for consumer in marks._consumers.values():
            consumer.channel.collect()
        return {}

    @Listen.decorator
    def on_mark(self, body: dict[str, Any]) -> None:
        time.sleep(0.05)
        write(f"mark {body['n']}")


class Stored(Service):
    """The base class as services use it, with a database."""

    name = "alpha"

    @rpc(Wait)
    def sleep_in_sql(self, request: Wait) -> dict[str, Any]:
        with self.db.transaction() as tx:
            tx.execute(text("insert into marks values (:mark)"), {"mark": request.mark})
            tx.execute(text("select pg_sleep(:seconds)"), {"seconds": request.milliseconds / 1000})
        return {"mark": request.mark}
