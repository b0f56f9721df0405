"""The base of every error that may cross a service boundary, and the errors that all owners share.

An owner's own errors live in `shared/contracts/<owner>/errors.py`. The owner raises, RPC carries
the code, the caller gets the same class again, and the gateway renders it once as RFC 9457
problem+json. `detail` is shown to clients: never put secrets or other people's data there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, NotRequired, TypedDict


class FieldError(TypedDict):
    """One refused field: dotted path, machine-readable code, sentence for people."""

    field: str
    code: str
    message: str


class ErrorBody(TypedDict):
    """How a `ServiceError` looks on the wire between services."""

    code: str
    status: int
    detail: str
    errors: NotRequired[list[FieldError]]
    extra: NotRequired[dict[str, Any]]


class ServiceError(Exception):
    """A refusal that is part of the contract.

    `status` is the HTTP status that the gateway answers with, `code` never changes once published.
    `extra` holds further members of the problem document (JSON values only).
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"

    registry: ClassVar[dict[str, type[ServiceError]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "code" in vars(cls):
            known = ServiceError.registry.setdefault(cls.code, cls)
            if known is not cls and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
                raise TypeError(f"error code {cls.code!r} is used by {known.__qualname__} and {cls.__qualname__}")

    def __init__(
        self, detail: str = "", *, errors: Iterable[FieldError] = (), extra: Mapping[str, Any] | None = None
    ) -> None:
        self.detail = detail or self.title
        self.errors: list[FieldError] = list(errors)
        self.extra: dict[str, Any] = dict(extra or {})
        super().__init__(self.detail)

    def to_body(self) -> ErrorBody:
        """The wire form; the inverse of `from_body`."""
        body = ErrorBody(code=self.code, status=self.status, detail=self.detail)
        if self.errors:
            body["errors"] = self.errors
        if self.extra:
            body["extra"] = self.extra
        return body

    @staticmethod
    def from_body(body: Mapping[str, Any]) -> ServiceError:
        """Rebuild the error that was raised at the other end.

        A code that this build does not know (a newer owner) becomes an `UnknownError` with the
        owner's status and code, so that the gateway can still render it truthfully.
        """
        code, detail = str(body.get("code", "internal")), str(body.get("detail", ""))
        errors, extra = body.get("errors") or (), body.get("extra") or {}
        known = ServiceError.registry.get(code)
        if known is not None:
            error = known.__new__(known)
            ServiceError.__init__(error, detail, errors=errors, extra=extra)
            return error
        return UnknownError(detail, code=code, status=int(body.get("status", 500)), errors=errors, extra=extra)


class UnknownError(ServiceError):
    """An error whose class this build does not have; carries the owner's status and code."""

    def __init__(
        self,
        detail: str,
        *,
        code: str,
        status: int,
        errors: Iterable[FieldError] = (),
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.code = code  # type: ignore[misc]  # per instance here: the class is not known to this build
        self.status = status  # type: ignore[misc]
        super().__init__(detail, errors=errors, extra=extra)


class InternalError(ServiceError):
    """A defect on our side; the text never says which."""

    status, code, title = 500, "internal", "Internal error"


class MalformedRequest(ServiceError):
    """The body is not strict JSON, or a required header is missing."""

    status, code, title = 400, "malformed_request", "Malformed request"


class Unauthorized(ServiceError):
    """No, or no valid, proof of who is calling."""

    status, code, title = 401, "unauthorized", "Authentication required"


class Forbidden(ServiceError):
    """Known, but not allowed."""

    status, code, title = 403, "forbidden", "Not allowed"


class NotFound(ServiceError):
    """Absent, or somebody else's: the two look the same from outside."""

    status, code, title = 404, "not_found", "Not found"


class Conflict(ServiceError):
    """The present state does not allow it."""

    status, code, title = 409, "conflict", "Conflict"


class InProgress(ServiceError):
    """The first request with this idempotency key is still running."""

    status, code, title = 409, "in_progress", "Still in progress"


class ValidationFailed(ServiceError):
    """One or more fields are refused; `errors` names each of them."""

    status, code, title = 422, "validation_failed", "Invalid fields"

    @classmethod
    def of(cls, field: str, code: str, message: str) -> ValidationFailed:
        """The common case of a single field."""
        return cls(errors=[FieldError(field=field, code=code, message=message)])


class IdempotencyMismatch(ServiceError):
    """The idempotency key was used before, with another body."""

    status, code, title = 422, "idempotency_mismatch", "Idempotency key used with another request"


class TooManyRequests(ServiceError):
    """Try again later; `extra["retry_after"]` says when, in seconds."""

    status, code, title = 429, "too_many_requests", "Too many requests"


class ServiceUnavailable(ServiceError):
    """A server that is needed cannot be reached; nothing was done."""

    status, code, title = 503, "unavailable", "Temporarily unavailable"


class NotReady(ServiceError):
    """Something that this needs has not arrived here yet."""

    status, code, title = 503, "not_ready", "Not ready yet"


class DeadlineExceeded(ServiceError):
    """No answer in time: the outcome is unknown; repeat with the same idempotency key."""

    status, code, title = 503, "deadline_exceeded", "No answer in time"
