"""The header of an answer that was given before."""

from __future__ import annotations

from typing import Final

from gateway.answer import Header

REPLAYED: Final[tuple[Header, ...]] = ((b"idempotent-replayed", b"true"),)
