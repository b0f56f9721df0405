"""The bodies of requests and replies: nameko's own shape, so that a stock nameko peer can take part.

Request `{"args": [], "kwargs": {…}}`; reply `{"result": …, "error": null}`. An error carries, beside
nameko's four members, the code, status, field errors and extras of a `ServiceError`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from shared.chassis import wire
from shared.contracts.errors import InternalError, MalformedRequest, ServiceError

EXCHANGE = "nameko-rpc"


class MethodNotFound(ServiceError):
    """The service that answers is older or newer than its caller and has no such method."""

    status, code, title = 501, "method_not_found", "Not implemented"


class Error(TypedDict):
    """A failed call on the wire, as far as nameko knows it; the members of `ErrorBody` come beside these."""

    exc_type: str
    exc_path: str
    exc_args: list[str]
    value: str


def request(kwargs: Mapping[str, Any]) -> bytes:
    """The body of a call with named arguments; raises WireError."""
    return wire.dumps({"args": [], "kwargs": kwargs})


def arguments(body: Any) -> dict[str, Any]:
    """The named arguments of a decoded request; raises MalformedRequest."""
    if not isinstance(body, dict):
        raise MalformedRequest("not an object")
    args, kwargs = body.get("args"), body.get("kwargs")
    if not isinstance(args, list) or not isinstance(kwargs, dict):
        raise MalformedRequest("args and kwargs are missing")
    if args:
        raise MalformedRequest("arguments are given by name")
    return kwargs


_BEGIN, _END = b'{"result":', b',"error":null}'


def success(result: Any) -> bytes:
    """The body of an answer; raises WireError when `result` is not JSON."""
    if isinstance(result, wire.Written):
        return wire.sized(_BEGIN + result.json + _END)
    return wire.dumps({"result": result, "error": None})


def result_text(body: bytes) -> bytes | None:
    """The result in a successful reply, as JSON text; None for any other reply, or one that a stock peer wrote."""
    if body.startswith(_BEGIN) and body.endswith(_END):
        return body[len(_BEGIN) : -len(_END)]
    return None


def failure(error: BaseException) -> bytes:
    """The body of a refusal. A foreign exception becomes `internal`, without its text."""
    known = error if isinstance(error, ServiceError) else InternalError()
    members = Error(exc_type=type(known).__name__, exc_path="", exc_args=[known.detail], value=known.detail)
    try:
        return wire.dumps({"result": None, "error": {**members, **known.to_body()}})
    except wire.WireError:
        return failure(InternalError())


def outcome(body: Any) -> Any:
    """The result of a decoded reply; raises the ServiceError that it carries, InternalError if it is no reply."""
    if not isinstance(body, dict) or "error" not in body:
        raise InternalError
    error = body["error"]
    if error is None:
        return body.get("result")
    if isinstance(error, dict) and "code" in error:
        raise ServiceError.from_body({"detail": error.get("value", ""), **error})
    raise InternalError
