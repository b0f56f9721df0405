"""Calling another service from a nameko service: `billing = RpcTo("billing")`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from itertools import count
from logging import getLogger
from typing import Any
from uuid import uuid4

import amqp
import eventlet
from eventlet.event import Event
from kombu.entity import Exchange, Queue
from nameko.extensions import DependencyProvider, SharedExtension

from shared.chassis.consumer import Consumer
from shared.chassis.context import current, to_headers
from shared.chassis.rpc import envelope, frames
from shared.chassis.transport import flush
from shared.contracts.errors import DeadlineExceeded, InternalError, ServiceError, ServiceUnavailable

log = getLogger(__name__)

TIMEOUT = 2.0


class Replies(Consumer):
    """The connection that calls leave and answers come in by: busy workers must not keep answers from being read."""

    def on_decode_error(self, message: Any, exc: BaseException) -> None:
        """An answer that is not strict JSON fails the call that waits for it."""
        log.error("undecodable reply: %s", exc)
        for provider in self._providers:
            provider.settle(message.properties.get("correlation_id"), InternalError())


class Caller(SharedExtension):
    """Sends calls and pairs them with their answers."""

    queue_consumer = Replies()
    no_ack = True

    def __init__(self) -> None:
        self._waiting: dict[str, Event] = {}
        # Unique under the reply key is enough.
        self._ids = count(1)
        self._channel: Any = None
        self.key = str(uuid4())

    def setup(self) -> None:
        self.queue = Queue(
            f"rpc.reply-{self.container.service_name}-{self.key}",
            Exchange(envelope.EXCHANGE, "topic", durable=True, no_declare=True),
            self.key,
            exclusive=True,
            auto_delete=True,
            durable=False,
        )
        self.queue_consumer.register_provider(self)

    def stop(self) -> None:
        self.queue_consumer.unregister_provider(self)

    def on_connected(self, connection: Any) -> None:
        channel = connection.channel()
        channel.events["basic_return"].add(self._on_return)
        self._channel = channel

    def on_disconnected(self) -> None:
        """Nobody will answer any more: the reply queue died with its connection."""
        self._channel = None
        for call_id in list(self._waiting):
            self.settle(call_id, DeadlineExceeded("the broker went away before the answer"))

    def handle_message(self, body: Any, message: Any) -> None:
        self.settle(message.properties.get("correlation_id"), body)

    def settle(self, call_id: str | None, outcome: Any) -> None:
        """Wakes the call; an answer that comes after the deadline finds nobody and is dropped."""
        event = self._waiting.pop(call_id or "", None)
        if event is not None:
            event.send(outcome)

    def call(self, service: str, method: str, arguments: Mapping[str, Any], timeout: float) -> Any:
        """The method's result within `timeout` seconds, or what is left of the context's deadline if that is less.

        Raises the ServiceError that the method raised; ServiceUnavailable when nobody was asked (no broker, no such
        service); DeadlineExceeded when the outcome is not known.
        """
        context = current()
        now = time.time()
        deadline = now + timeout if context.deadline is None else min(now + timeout, context.deadline)
        left = deadline - now
        if left <= 0:
            raise DeadlineExceeded
        channel = self._channel
        if channel is None or channel.connection is None:
            raise ServiceUnavailable("no connection to the broker")
        call_id = str(next(self._ids))
        headers = to_headers(context, deadline=deadline)
        properties = frames.call_properties(
            call_id=call_id, reply_to=self.key, expires=int(left * 1000), headers=headers
        )
        body = envelope.request(arguments)
        request = frames.call(channel, envelope.EXCHANGE, f"{service}.{method}", body, properties)
        self._waiting[call_id] = event = Event()
        try:
            with eventlet.Timeout(left):
                frames.send(channel, request)
                if len(self._waiting) == 1:
                    flush(channel)
                outcome = event.wait()
        except eventlet.Timeout:
            raise DeadlineExceeded(f"{service}.{method}") from None
        except (amqp.exceptions.AMQPError, OSError):
            raise ServiceUnavailable("no connection to the broker") from None
        finally:
            self._waiting.pop(call_id, None)
        if isinstance(outcome, ServiceError):
            raise outcome
        return envelope.outcome(outcome)

    def _on_return(self, exc: BaseException, exchange: str, routing_key: str, message: Any) -> None:
        service = routing_key.partition(".")[0]
        self.settle(message.properties.get("correlation_id"), ServiceUnavailable(f"{service} is not there"))


class Proxy:
    """Another service's methods, called by keyword; `timeout` (seconds) may be given with each call."""

    def __init__(self, caller: Caller, service: str, timeout: float) -> None:
        self._caller = caller
        self._service = service
        self._timeout = timeout

    def __getattr__(self, name: str) -> Callable[..., Any]:
        caller, service, default = self._caller, self._service, self._timeout

        def method(*, timeout: float = default, **arguments: Any) -> Any:
            return caller.call(service, name, arguments, timeout)

        # Kept on the instance: the next call does not come here.
        setattr(self, name, method)
        return method


class RpcTo(DependencyProvider):
    """Gives a service's methods a `Proxy` of another service."""

    caller = Caller()

    def __init__(self, service: str, *, timeout: float = TIMEOUT) -> None:
        self._service = service
        self._timeout = timeout

    def setup(self) -> None:
        self._proxy = Proxy(self.caller, self._service, self._timeout)

    def get_dependency(self, worker_ctx: Any) -> Proxy:
        return self._proxy
