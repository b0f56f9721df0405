"""The questions and commands that audit answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol, TypedDict

from marshmallow import validate

from shared.contracts.types import Id, Name, Timestamp

RESULTS = ("success", "failure", "denied")

Limit = Annotated[int, validate.Range(min=1, max=100)]
Cursor = Annotated[str, validate.Length(max=512)]


class ActorView(TypedDict):
    """Who did it: `role` and `kind` as in the envelope of events."""

    user_id: str | None
    username: str | None
    role: str
    kind: str


class EntryView(TypedDict):
    """An audit entry as the public API shows it. `user_id` is whom it is about.

    `occurred_at` is when it happened, `created_at` when it was recorded here.
    """

    id: str
    action: str
    description: str
    user_id: str | None
    actor: ActorView
    subject_type: str
    subject_id: str
    ip: str | None
    result: str
    correlation_id: str
    causation_id: str | None
    occurred_at: str
    created_at: str
    metadata: dict[str, Any]


class EntryPage(TypedDict):
    """A page of entries, newest first."""

    results: list[EntryView]
    has_more: bool
    next: str | None


class ChainView(TypedDict):
    """The hash chain: sealed entries, those that wait to be, and the last hash (hex) with its signature (base64)."""

    ok: bool
    sealed: int
    unsealed: int
    head: str | None
    signature: str | None
    problems: list[str]


@dataclass(frozen=True, kw_only=True)
class RecordRequest:
    """What the gateway has seen itself and no event tells of; `record_id` is unique for ever."""

    record_id: Id
    action: Annotated[str, validate.Regexp(r"^[A-Z][A-Z0-9_]{1,63}\Z")]
    description: Annotated[str, validate.Length(max=500)] = ""
    result: Literal["success", "failure", "denied"]
    subject_type: Annotated[str, validate.Length(min=1, max=64)]
    subject_id: Name
    occurred_at: Timestamp
    metadata: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class ListEntriesRequest:
    """Staff only; each reading is an entry of its own."""

    action: Annotated[str, validate.Length(min=1, max=64)] | None = None
    user_id: Id | None = None
    subject_id: Name | None = None
    limit: Limit = 20
    after: Cursor | None = None


class AuditRpc(Protocol):
    """Owner: audit."""

    def record(
        self,
        *,
        record_id: str,
        action: str,
        result: str,
        subject_type: str,
        subject_id: str,
        occurred_at: str,
        description: str = "",
        metadata: dict[str, Any] | None = None,
    ) -> dict[str, object]:
        """Who and from where is taken from the call's context. Again with the same `record_id`: nothing."""
        ...

    def list_entries(
        self,
        *,
        action: str | None = None,
        user_id: str | None = None,
        subject_id: str | None = None,
        limit: int = 20,
        after: str | None = None,
    ) -> EntryPage:
        """Newest first. Raises Forbidden."""
        ...

    def verify_chain(self) -> ChainView:
        """Every sealed entry against its hash, and the head against its signature. Raises Forbidden."""
        ...
