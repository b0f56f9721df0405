"""Answering calls: `@rpc(Request)` on a method of a service."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from logging import getLogger
from typing import Any, TypeVar, overload

import amqp
from kombu.entity import Queue
from nameko import rpc as nameko_rpc
from nameko.exceptions import ContainerBeingKilled

from shared.chassis import wire
from shared.chassis.consumer import Consumer
from shared.chassis.context import Context, from_headers, use
from shared.chassis.retry import run_again
from shared.chassis.rpc import envelope, frames
from shared.chassis.transport import flush
from shared.contracts import schema
from shared.contracts.errors import MalformedRequest

log = getLogger(__name__)

S = TypeVar("S")
R = TypeVar("R")
T = TypeVar("T")

WORKERS = 30
# The channel or its connection went away: the broker has taken the message back.
_GONE = (amqp.exceptions.AMQPError, OSError)
# Reply queues are bound under a UUID. Any other address could be a service's own request queue, or one
# that this user may not write to, which would close the channel and bring the message back for ever.
_REPLY_KEY = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")


class Calls(Consumer):
    """The connection that calls come in by; answers leave on the same channel."""

    def on_decode_error(self, message: Any, exc: BaseException) -> None:
        """Tells the caller and parks the message."""
        reply = _reply(message, envelope.failure(MalformedRequest("not strict JSON")))
        _settle(partial(frames.send, message.channel, reply))
        super().on_decode_error(message, exc)


class RpcQueue(nameko_rpc.RpcConsumer):
    """Hands each call to a worker, at most `WORKERS` at a time, and keeps as many again in memory.

    The queue is made by the topology step. A worker's answer is followed by the acknowledgement on the same
    channel: the broker takes them in that order, so neither needs a confirm.
    """

    queue_consumer = Calls()
    prefetch = 2 * WORKERS

    def __init__(self) -> None:
        super().__init__()
        self.queue: Any = None
        self._entrypoints: dict[str, Rpc] = {}
        self._waiting: deque[tuple[Rpc, Any, Context, Mapping[str, Any]]] = deque()
        self._running = 0
        self._stopping = False

    def setup(self) -> None:
        if self.queue is None:
            name = f"rpc-{self.container.service_name}"
            self.queue = Queue(name, durable=True, no_declare=True)
            self.queue_consumer.register_provider(self)

    def register_provider(self, provider: Rpc) -> None:
        super().register_provider(provider)
        self._entrypoints[f"{self.container.service_name}.{provider.method_name}"] = provider

    def unregister_provider(self, provider: Rpc) -> None:
        self._stopping = True
        super().unregister_provider(provider)
        while self._waiting:
            self._give_back(self._waiting.popleft()[1])

    def on_disconnected(self) -> None:
        """What has not begun comes again, from the broker."""
        self._waiting.clear()

    def handle_message(self, body: Any, message: Any) -> None:
        key = message.delivery_info["routing_key"]
        try:
            entrypoint = self._entrypoints.get(key)
            if entrypoint is None:
                raise envelope.MethodNotFound(key)
            context = from_headers(message.headers)
            arguments = envelope.arguments(body)
        except Exception as error:  # whatever a poisoned request breaks, its sender hears of it
            log.warning("call of %s refused: %s", key, error)
            self._answer(message, envelope.failure(error))
            return
        if self._running < WORKERS or entrypoint.inline:
            self._start(entrypoint, message, context, arguments)
        else:
            self._waiting.append((entrypoint, message, context, arguments))

    def _start(self, entrypoint: Rpc, message: Any, context: Context, arguments: Mapping[str, Any]) -> None:
        if context.deadline is not None and time.time() >= context.deadline:
            # The caller has gone: what it asked for must not happen any more.
            log.info("expired call of %s not executed", entrypoint.method_name)
            _settle(message.ack)
            return
        worker: tuple[Rpc, tuple[Context, Mapping[str, Any]], dict[str, Any]] = (entrypoint, (context, arguments), {})
        self._running += 1
        try:
            if entrypoint.inline:
                self.container.run_inline(*worker, handle_result=partial(self._done, message))
            else:
                self.container.spawn_worker(*worker, handle_result=partial(self._done, message))
        except ContainerBeingKilled:
            self._running -= 1
            self._give_back(message)

    def _done(self, message: Any, worker_ctx: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
        self._running -= 1
        if exc_info is not None:
            body = envelope.failure(exc_info[1])
        else:
            try:
                body = envelope.success(result)
            except wire.WireError as error:
                log.exception("result of %s cannot be sent", worker_ctx.entrypoint.method_name)
                body = envelope.failure(error)
        self._answer(message, body)
        if not self._running:
            flush(message.channel)
        while self._waiting and self._running < WORKERS and not self._stopping:
            self._start(*self._waiting.popleft())
        return result, exc_info

    def _answer(self, message: Any, body: bytes) -> None:
        channel = message.channel
        if channel.connection is None:
            log.info("the broker went away before the answer")
            return
        both = _reply(message, body) + frames.ack(channel, message.delivery_tag)
        _settle(partial(frames.send, channel, both))

    def _give_back(self, message: Any) -> None:
        _settle(message.requeue)


class Rpc(nameko_rpc.Rpc):
    """A method that can be called. `inline` methods never wait and are answered even when all workers are busy."""

    rpc_consumer = RpcQueue()

    def __init__(self, request: type | None = None, *, inline: bool = False, **kwargs: Any) -> None:
        self.request = request
        self.inline = inline
        super().__init__(**kwargs)

    def run(self, worker_ctx: Any, method: Callable[..., Any]) -> Any:
        """Validates the arguments and runs the method with the caller's context in place."""
        context, arguments = worker_ctx.args
        with use(context):
            if self.request is None:
                return run_again(method)
            return run_again(partial(method, schema.load(self.request, arguments)))


@overload  # a class is a callable too: the order of the overloads decides
def rpc(  # type: ignore[overload-overlap]
    target: type[R], *, inline: bool = False
) -> Callable[[Callable[[S, R], T]], Callable[[S, R], T]]: ...


@overload
def rpc(target: None = None, *, inline: bool = False) -> Callable[[Callable[[S], T]], Callable[[S], T]]: ...


@overload
def rpc(target: Callable[[S], T]) -> Callable[[S], T]: ...


def rpc(target: Any = None, *, inline: bool = False) -> Any:
    """Makes a method callable by other processes.

    `@rpc(Request)`: the arguments are checked against the contract (ValidationFailed) and the method gets
    the dataclass. `@rpc`: the method takes none. It returns what JSON can hold, or raises a ServiceError;
    any other exception reaches the caller as `internal`, without its text. A RetryTransaction runs it again.
    """
    if target is None or isinstance(target, type):
        return Rpc.decorator(target, inline=inline)
    return Rpc.decorator(target)


def _reply(message: Any, body: bytes) -> bytes:
    """The frames of an answer on the channel that the request came by; none when nobody can be answered."""
    properties = message.properties
    key = properties.get("reply_to")
    if not key:
        return b""
    if _REPLY_KEY.fullmatch(key) is None:
        log.warning("call from %s without a usable reply address", key)
        return b""
    call_id = properties.get("correlation_id", "")
    return frames.answer(message.channel, envelope.EXCHANGE, key, body, call_id=call_id)


def _settle(send: Callable[[], object]) -> None:
    try:
        send()
    except _GONE as error:
        log.info("the broker went away before the answer: %s", error)
