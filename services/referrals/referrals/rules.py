"""Decisions of referrals: standard library only, no clock, no database."""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""What made codes are made of: nothing that is taken for something else when it is read out (I, L, O, U)."""
RANDOM_LENGTH: Final = 8
MARKUP_MAX: Final = Decimal(3)
REFUSALS: Final = {
    "unknown": "There is no such code.",
    "disabled": "The code is switched off.",
    "expired": "The code has expired.",
    "used_up": "The code has been used as often as it may be.",
    "own": "The code belongs to somebody who has registered later.",
}
"""Why a code cannot be used, by code of the field error."""

_CODE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
# The form that users promises its affiliate codes to have, and no other code.
_AFFILIATE: Final = re.compile(r"[A-Z0-9]{0,8}[0-9A-HJKMNP-TV-Z]{8}")


def is_code(text: str) -> bool:
    """Whether a text can be anybody's code at all."""
    return _CODE.fullmatch(text) is not None


def is_affiliate_code(code: str) -> bool:
    """Whether a code has the form that only affiliate codes may have, in any case."""
    return _AFFILIATE.fullmatch(code.upper()) is not None


def made_code(prefix: str | None, random: str) -> str:
    """A code of `RANDOM_LENGTH` random characters; the hyphen keeps it apart from affiliate codes."""
    if prefix is None:
        half = len(random) // 2
        return f"{random[:half]}-{random[half:]}"
    return f"{prefix.upper()}-{random}"


def problem(
    *, disabled: bool, expires_at: datetime | None, max_uses: int | None, uses: int, now: datetime
) -> str | None:
    """Why a code that has been used `uses` times cannot be used once more; None when it can."""
    if disabled:
        return "disabled"
    if expires_at is not None and expires_at <= now:
        return "expired"
    if max_uses is not None and uses >= max_uses:
        return "used_up"
    return None


def is_markup_allowed(percent: Decimal) -> bool:
    """Whether a code may have this rate of its own."""
    return 0 <= percent <= MARKUP_MAX


def affiliate_code_id(owner_id: str) -> str:
    """The id of a user's affiliate code: a UUIDv7 of the same millisecond that follows from his own.

    Whoever makes the row first, a claim or an event, in this database or in one that is filled anew: it is the same.
    """
    owner = uuid.UUID(owner_id).bytes
    raw = bytearray(owner[:6] + sha256(b"affiliate code" + owner).digest()[:10])
    raw[6] = raw[6] & 0x0F | 0x70
    raw[8] = raw[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(raw)))
