"""Who is asking, why, and until when: carried by every call and every event, and never in a body."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from shared.chassis import wire
from shared.contracts.errors import DeadlineExceeded, Forbidden, MalformedRequest, Unauthorized
from shared.utils.ids import new_id

Kind = Literal["user", "staff", "system", "anonymous"]
_KINDS = frozenset(get_args(Kind))
_CONTEXT, _DEADLINE = "nameko.context", "nameko.deadline"
_TEXTS = ("user_id", "session_id", "correlation_id", "causation_id", "ip", "user_agent", "request_id")


@dataclass(frozen=True, slots=True)
class Idempotency:
    """The client's idempotency key, the route it was used on, and a hash of the request's body."""

    key: str
    route: str
    request_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What travels beside the arguments. `deadline` is in seconds since the epoch, by the wall clock."""

    user_id: str | None = None
    roles: tuple[str, ...] = ()
    kind: Kind = "anonymous"
    session_id: str | None = None
    correlation_id: str = field(default_factory=new_id)
    causation_id: str | None = None
    deadline: float | None = None
    ip: str | None = None
    user_agent: str | None = None
    request_id: str | None = None
    idempotency: Idempotency | None = None

    @property
    def is_staff(self) -> bool:
        return self.kind == "staff"

    def require_user(self) -> str:
        """The id of the person who asks; raises Unauthorized when nobody is logged in."""
        if self.user_id is None or self.kind not in ("user", "staff"):
            raise Unauthorized
        return self.user_id

    def require_staff(self) -> str:
        """The id of the member of staff who asks; raises Unauthorized or Forbidden."""
        user_id = self.require_user()
        if not self.is_staff:
            raise Forbidden
        return user_id

    def time_left(self) -> float | None:
        """Seconds until the deadline, negative when it has passed; None without a deadline."""
        return None if self.deadline is None else self.deadline - time.time()

    def check_deadline(self) -> None:
        """Raises DeadlineExceeded when the caller has stopped waiting."""
        if self.deadline is not None and time.time() >= self.deadline:
            raise DeadlineExceeded


_current: ContextVar[Context | None] = ContextVar("nexus_context", default=None)


def current() -> Context:
    """The context in place, or a fresh anonymous one."""
    return _current.get() or Context()


@contextmanager
def use(context: Context) -> Iterator[Context]:
    """Puts `context` in place for the block."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)


def log_fields() -> dict[str, Any]:
    """What every line of the log says of the context in place; nothing when there is none."""
    context = _current.get()
    if context is None:
        return {}
    return {
        "correlation_id": context.correlation_id,
        "request_id": context.request_id,
        "user_id": context.user_id,
    }


def to_headers(context: Context, *, deadline: float | None = None) -> dict[str, Any]:
    """Message headers that carry `context`, with `deadline` in the place of its own if given.

    One header of JSON beside the deadline (whole milliseconds): each entry of an AMQP table costs client,
    broker and server as much as the whole text does.
    """
    values: dict[str, Any] = {"kind": context.kind}
    for name in _TEXTS:
        value = getattr(context, name)
        if value is not None:
            values[name] = value
    if context.roles:
        values["roles"] = context.roles
    if context.idempotency is not None:
        idempotency = context.idempotency
        values["idempotency"] = [idempotency.key, idempotency.route, idempotency.request_hash]
    headers: dict[str, Any] = {_CONTEXT: wire.dumps(values).decode()}
    if deadline is None:
        deadline = context.deadline
    if deadline is not None:
        headers[_DEADLINE] = int(deadline * 1000)
    return headers


def from_headers(headers: Mapping[str, Any]) -> Context:
    """The inverse of `to_headers`; what it does not know is ignored. Raises MalformedRequest on a wrong type."""
    text = headers.get(_CONTEXT, "{}")
    try:
        found = wire.loads(text) if isinstance(text, str) else None
    except wire.WireError:
        found = None
    if not isinstance(found, dict):
        raise MalformedRequest("header context")
    values: dict[str, Any] = {name: _text(name, found[name]) for name in _TEXTS if name in found}
    kind = found.get("kind", "anonymous")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise MalformedRequest("header kind")
    if "roles" in found:
        values["roles"] = tuple(_texts("roles", found["roles"]))
    if "idempotency" in found:
        parts = _texts("idempotency", found["idempotency"])
        if len(parts) != 3:
            raise MalformedRequest("header idempotency")
        values["idempotency"] = Idempotency(*parts)
    deadline = headers.get(_DEADLINE)
    if deadline is not None:
        if isinstance(deadline, bool) or not isinstance(deadline, int | float):
            raise MalformedRequest("header deadline")
        values["deadline"] = deadline / 1000
    return Context(kind=kind, **values)  # type: ignore[arg-type]  # checked against _KINDS above


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise MalformedRequest(f"header {name}")
    return value


def _texts(name: str, value: object) -> list[str]:
    if not isinstance(value, list):
        raise MalformedRequest(f"header {name}")
    return [_text(name, item) for item in value]
