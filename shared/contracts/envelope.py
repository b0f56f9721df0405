"""The envelope around every event, and the base that event classes share.

An event class is a frozen dataclass decorated with `@event(owner, type, readers=...)`. `readers`
are the services whose queue the topology binds; a service hears what it is named in, no more.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Self, TypeVar, dataclass_transform

from shared.contracts import schema
from shared.contracts.errors import ValidationFailed
from shared.contracts.types import Id, Timestamp


class EventData:
    """Base of all event payloads; the class attributes are set by `@event`."""

    owner: ClassVar[str]
    type: ClassVar[str]
    version: ClassVar[int]
    readers: ClassVar[tuple[str, ...]]
    deprecated: ClassVar[bool] = False

    @classmethod
    def example(cls) -> Self:
        """One true-to-life instance: publisher's and consumer's tests are both driven by it."""
        raise NotImplementedError(cls.__name__)


Data = TypeVar("Data", bound=EventData)
Data_co = TypeVar("Data_co", bound=EventData, covariant=True)

EVENTS: dict[tuple[str, str], type[EventData]] = {}
"""Every known event by (owner, type); filled by importing the owners' `events` modules."""


@dataclass_transform(frozen_default=True, kw_only_default=True)
def event(
    owner: str, type_: str, *, readers: tuple[str, ...] = (), version: int = 1, deprecated: bool = False
) -> Callable[[type[Data]], type[Data]]:
    """Declare an event: who owns it, its name (the routing key), and which services hear it.

    `deprecated`: another one has taken its place and this one goes soon; only such an event may be taken away.
    """

    def declare(cls: type[Data]) -> type[Data]:
        made = dataclass(frozen=True, kw_only=True)(cls)
        made.owner, made.type, made.readers, made.version = owner, type_, readers, version
        made.deprecated = deprecated
        if EVENTS.setdefault((owner, type_), made).__qualname__ != made.__qualname__:
            raise TypeError(f"event {owner}.{type_} is declared twice")
        return made

    return declare


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who caused it: a user or staff member by id, or the system itself."""

    user_id: Id | None = None
    role: str = "system"
    kind: str = "system"


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """What every event carries (see the catalogue of events for the meaning of each field)."""

    id: Id
    type: str
    version: int
    source: str
    subject: str
    subject_version: int
    occurred_at: Timestamp
    correlation_id: str
    causation_id: str | None = None
    actor: Actor = field(default_factory=Actor)
    data: dict[str, Any]
    personal: dict[str, Any] = field(default_factory=dict)
    secret: dict[str, Any] = field(default_factory=dict)
    republished: bool = False
    """Present state sent again to fill a copy: nothing new has happened, and nobody is told of it."""

    def to_json(self) -> dict[str, Any]:
        """The plain form that goes over the wire."""
        return schema.dump(self)

    @classmethod
    def from_json(cls, body: Any) -> Self:
        """Raises ValidationFailed when it is not an envelope."""
        return schema.load(cls, body)


@dataclass(frozen=True)
class Received(Generic[Data_co]):
    """An event as a handler gets it: the envelope and its validated payload."""

    envelope: Envelope
    data: Data_co

    @property
    def id(self) -> str:
        """The event's own id: the same at every redelivery."""
        return self.envelope.id

    @property
    def subject_version(self) -> int:
        """The subject's version after the change that the event tells of."""
        return self.envelope.subject_version

    @property
    def personal(self) -> Mapping[str, Any]:
        """Personal data: may be stored only in a table that erasing empties."""
        return self.envelope.personal


def parse(body: Any) -> Received[EventData]:
    """The typed event in a decoded message body. Raises ValidationFailed, also for an unknown type."""
    envelope = Envelope.from_json(body)
    known = EVENTS.get((envelope.source, envelope.type))
    if known is None:
        raise ValidationFailed.of("type", "unknown_event", f"no event {envelope.source}.{envelope.type} is known here")
    return Received(envelope, schema.load(known, envelope.data))


def is_event(cls: Any) -> bool:
    """Whether a class was declared with `@event`."""
    return dataclasses.is_dataclass(cls) and isinstance(cls, type) and issubclass(cls, EventData)
