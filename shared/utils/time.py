"""Time is UTC and aware everywhere; on the wire it is RFC 3339 with a `Z`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


def _system_clock() -> datetime:
    return datetime.now(UTC)


_clock: ContextVar[Clock] = ContextVar("nexus_clock", default=_system_clock)


@contextmanager
def use_clock(clock: Clock) -> Iterator[None]:
    """Puts another clock in place for the block: tests hand in the time."""
    token = _clock.set(clock)
    try:
        yield
    finally:
        _clock.reset(token)


def get_utc_now() -> datetime:
    """The present, aware, in UTC."""
    return _clock.get()()


def get_timestamp() -> int:
    """Whole seconds since the epoch."""
    return int(get_utc_now().timestamp())


def timestamp_to_datetime(timestamp: float) -> datetime:
    """Seconds since the epoch as an aware UTC time."""
    return datetime.fromtimestamp(timestamp, UTC)


def datetime_to_timestamp(dt: datetime) -> int:
    """Whole seconds since the epoch. Raises ValueError for a time without a zone."""
    return int(_aware(dt).timestamp())


def add_hours(dt: datetime, amount: float) -> datetime:
    """`dt` and `amount` hours."""
    return dt + timedelta(hours=amount)


def add_days(dt: datetime, amount: float) -> datetime:
    """`dt` and `amount` days of 24 hours."""
    return dt + timedelta(days=amount)


def add_minutes(dt: datetime, amount: float) -> datetime:
    """`dt` and `amount` minutes."""
    return dt + timedelta(minutes=amount)


def add_seconds(dt: datetime, amount: float) -> datetime:
    """`dt` and `amount` seconds."""
    return dt + timedelta(seconds=amount)


def to_rfc3339(dt: datetime) -> str:
    """The wire form, in UTC with a `Z`. Raises ValueError for a time without a zone."""
    return _aware(dt).astimezone(UTC).isoformat().replace("+00:00", "Z")


def from_rfc3339(text: str) -> datetime:
    """The inverse of `to_rfc3339`. Raises ValueError for anything that is not RFC 3339 with a zone."""
    return _aware(datetime.fromisoformat(text)).astimezone(UTC)


def monotonic() -> float:
    """Seconds of a clock that never goes back; only differences mean anything."""
    return time.monotonic()


def _aware(dt: datetime) -> datetime:
    if dt.tzinfo is None:
        raise ValueError("a time needs its zone")
    return dt
