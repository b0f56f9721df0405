"""A route of the API, declared once: what validates it is what documents it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from gateway.answer import Answer, text_answer
from gateway.errors import InvalidIdempotencyKey, MissingIdempotencyKey
from shared.chassis.context import Context, Idempotency
from shared.chassis.rpc.aio import AsyncRpc
from shared.contracts.errors import NotFound
from shared.contracts.types import UUID_PATTERN

Who = Literal["anyone", "user", "staff"]
Key = Literal["none", "accepted", "required"]
Seconds = Literal["rpc", "open", "auth", "part", "health"]
Header = Literal["Location", "Idempotent-Replayed"]

_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)
_UUID = re.compile(UUID_PATTERN)
_NAME = re.compile(r"[A-Za-z0-9_]{1,32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Call:
    """A request that has passed every check: what a handler works with.

    The context carries the route's deadline, so that several questions together take no longer than one.
    """

    rpc: AsyncRpc
    context: Context
    path: Mapping[str, str]
    body: Any
    query: Any
    seconds: float

    @property
    def user_id(self) -> str:
        """Whoever calls. Raises Unauthorized on routes that anyone may call."""
        return self.context.require_user()

    async def ask(self, service: str, method: str, arguments: Mapping[str, Any] | None = None) -> Any:
        """Asks a service on the caller's behalf, within the route's time. Raises ServiceError."""
        return await self.rpc.call(service, method, arguments or {}, ctx=self.context, timeout=self.seconds)

    async def ask_text(self, service: str, method: str, arguments: Mapping[str, Any] | None = None) -> bytes:
        """As `ask`, but the result as JSON, as the service wrote it. Raises ServiceError."""
        return await self.rpc.call_text(service, method, arguments or {}, ctx=self.context, timeout=self.seconds)

    async def pass_on(self, service: str, method: str, arguments: Mapping[str, Any] | None = None) -> Answer:
        """An answer with a service's result as it wrote it. Raises ServiceError."""
        return text_answer(await self.ask_text(service, method, arguments))


Handler = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One method of one path. `body` and `query` are contract dataclasses, `answer` a TypedDict.

    `status_again` is for what was there before, `headers` are those an answer may have, `seconds` names a setting.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    tag: str
    who: Who = "user"
    body: type | None = None
    query: type | None = None
    key: Key = "none"
    status: int = 200
    status_again: int | None = None
    answer: Any = None
    headers: tuple[Header, ...] = ()
    seconds: Seconds = "rpc"
    body_may_be_empty: bool = False
    parameters: tuple[str, ...] = field(init=False)
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        names = tuple(re.findall(r"{(\w+)}", self.path))
        object.__setattr__(self, "parameters", names)
        object.__setattr__(self, "pattern", re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", self.path)))

    @property
    def has_body(self) -> bool:
        """Whether the method carries a body at all."""
        return self.method in ("POST", "PUT", "PATCH")

    def idempotency(self, key: str | None, path: Mapping[str, str], body: Mapping[str, Any]) -> Idempotency | None:
        """What the owner of the effect keeps. Raises MissingIdempotencyKey, InvalidIdempotencyKey."""
        if self.key == "none":
            return None
        if key is None:
            if self.key == "required":
                raise MissingIdempotencyKey
            return None
        if not _KEY.fullmatch(key):
            raise InvalidIdempotencyKey
        # Not yet validated: orjson would refuse the integers of more than 64 bits that a client may send.
        canonical = json.dumps([path, body], sort_keys=True, separators=(",", ":"))
        return Idempotency(key, f"{self.method} {self.path}", hashlib.sha256(canonical.encode()).hexdigest())


def check_parameters(path: Mapping[str, str]) -> None:
    """Raises NotFound for a path parameter that cannot be an id, or a name: such a thing does not exist."""
    for name, value in path.items():
        if not (_UUID if name.endswith("_id") else _NAME).fullmatch(value):
            raise NotFound
