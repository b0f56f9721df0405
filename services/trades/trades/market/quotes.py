"""Quotes that keep themselves: the price is in the proposal's id, sealed, so that a quote writes nothing. Pure.

The seal binds price and end to who asked and to all terms: with other terms, or somebody else's account, an id says
nothing. An id may be used more than once until it ends.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import os
import struct
from datetime import UTC, datetime, timedelta
from typing import Final

from trades.market.port import Price, Terms

_PREFIX: Final = "prop_"
_BODY: Final = struct.Struct(">B8sQQQ")
_VERSION: Final = 1
_MAC_BYTES: Final = 16
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def proposal_id_of(price: Price, *, terms: Terms, account_id: str, valid_until: datetime, secret: bytes) -> str:
    """An id of 71 characters that holds a price until `valid_until`."""
    until = (valid_until - _EPOCH) // _MICROSECOND
    body = _BODY.pack(_VERSION, os.urandom(8), until, price.stake, price.payout)
    return _PREFIX + base64.urlsafe_b64encode(body + _mac(body, terms, account_id, secret)).decode().rstrip("=")


def price_of(proposal_id: str, *, terms: Terms, account_id: str, secret: bytes, now: datetime) -> Price | None:
    """The price that an id holds for just these terms, or None: it is not ours, for something else, or over."""
    text = proposal_id.removeprefix(_PREFIX)
    try:
        sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    body, mac = sealed[: _BODY.size], sealed[_BODY.size :]
    if len(body) < _BODY.size or not hmac.compare_digest(mac, _mac(body, terms, account_id, secret)):
        return None
    _, _, until, stake, payout = _BODY.unpack(body)
    return Price(stake=stake, payout=payout) if now <= _EPOCH + until * _MICROSECOND else None


def _mac(body: bytes, terms: Terms, account_id: str, secret: bytes) -> bytes:
    basis = ["stake", terms.stake] if terms.payout is None else ["payout", terms.payout]
    asked = [account_id, terms.symbol, terms.contract_type, terms.currency, basis, terms.barrier]
    scope = json.dumps([*asked, terms.seconds, terms.amount, terms.unit], separators=(",", ":")).encode()
    return hmac.digest(secret, b"quote\0" + body + scope, "sha256")[:_MAC_BYTES]
