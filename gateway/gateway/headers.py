"""Headers of an answer that depend on what the service did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.answer import Header


def replayed(found: Mapping[str, Any]) -> tuple[Header, ...]:
    """`Idempotent-Replayed` when the key was seen before and this is what it made then."""
    return ((b"idempotent-replayed", b"true"),) if found["replayed"] else ()


def location(path: str, made: Mapping[str, Any]) -> Header:
    """`Location` of what is listed under `path`."""
    return (b"location", f"/api/v1/{path}/{made['id']}".encode())
