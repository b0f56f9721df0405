"""Keyset pages. A cursor is the position after the last row of a page, signed for its list, caller and filters."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from shared.contracts.errors import ValidationFailed
from shared.settings.env import env

Row = TypeVar("Row")
Item = TypeVar("Item")
_MAC_BYTES = 16


@dataclass(frozen=True, slots=True)
class Listing:
    """One list as one caller sees it: a cursor of another list, caller or filter is not valid here."""

    name: str
    user_id: str
    filters: Mapping[str, Any]

    def cursor(self, position: Sequence[str | int | bool]) -> str:
        """The cursor after a row whose sort key is `position`."""
        body = json.dumps(list(position), separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._mac(body) + body).rstrip(b"=").decode()

    def position(self, cursor: str) -> list[Any]:
        """The sort key in a cursor of ours. Raises ValidationFailed on `after` for any other text."""
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        mac, body = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if not body or not hmac.compare_digest(mac, self._mac(body)):
            raise ValidationFailed.of("after", "invalid", "Not a cursor of this list.")
        found: list[Any] = json.loads(body)
        return found

    def page(
        self,
        rows: Sequence[Row],
        limit: int,
        *,
        position: Callable[[Row], Sequence[str | int | bool]],
        view: Callable[[Row], Item],
    ) -> dict[str, Any]:
        """The public page of `rows`, which were selected with LIMIT `limit` + 1 to see whether there are more."""
        shown = rows[:limit]
        more = len(rows) > limit
        return {
            "results": [view(row) for row in shown],
            "has_more": more,
            "next": self.cursor(position(shown[-1])) if more else None,
        }

    def _mac(self, body: bytes) -> bytes:
        scope = json.dumps([self.name, self.user_id, sorted(self.filters.items())], separators=(",", ":")).encode()
        key = env.require("SECRET_KEY").encode()
        return hmac.digest(key, b"cursor\0" + hashlib.sha256(scope).digest() + body, "sha256")[:_MAC_BYTES]
