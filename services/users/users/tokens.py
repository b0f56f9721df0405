"""Access tokens (EdDSA JWT, verified by anyone with the public key) and refresh tokens (opaque, known only by hash).

A refresh token is `<session>.<counter>.<mac>`; the mac is an HMAC of session, counter and a salt of the session under
SECRET_KEY, so that the successor of a token is always the same one and need not be stored in the clear.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from shared.settings.env import env
from shared.utils.ids import new_id

ISSUER, AUDIENCE, TYPE, ALGORITHM = "nexus", "nexus-api", "at+jwt", "EdDSA"


@dataclass(frozen=True)
class SigningKey:
    """The private key and its id: the first 16 hex digits of the SHA-256 of the public key's 32 bytes."""

    private: Ed25519PrivateKey
    kid: str

    @classmethod
    def load(cls, path: Path) -> SigningKey:
        """From a PEM file. Raises TypeError when it is not an Ed25519 key."""
        private = load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(private, Ed25519PrivateKey):
            raise TypeError("the signing key must be an Ed25519 key")
        raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return cls(private, hashlib.sha256(raw).hexdigest()[:16])


@cache
def signing_key() -> SigningKey:
    """The key that JWT_PRIVATE_KEY_FILE names."""
    return SigningKey.load(Path(env.require("JWT_PRIVATE_KEY_FILE")))


def access_token(user_id: str, session_id: str, roles: Sequence[str], *, now: datetime, lifetime: timedelta) -> str:
    """A signed access token (RFC 9068's type, registered claims of RFC 7519)."""
    key, issued = signing_key(), int(now.timestamp())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": user_id,
        "sid": session_id,
        "roles": list(roles),
        "iat": issued,
        "nbf": issued,
        "exp": issued + int(lifetime.total_seconds()),
        "jti": new_id(),
    }
    return jwt.encode(claims, key.private, algorithm=ALGORITHM, headers={"kid": key.kid, "typ": TYPE})


def claims_of(token: str) -> dict[str, Any] | None:
    """The claims of an access token that we signed and that is not over; else None."""
    folder = Path(env.require("JWT_PUBLIC_KEYS_DIR"))
    try:
        header = jwt.get_unverified_header(token)
        known = {path.stem: path for path in folder.glob("*.pem")}
        path = known.get(str(header.get("kid")))
        if path is None or header.get("typ") != TYPE:
            return None
        claims: dict[str, Any] = jwt.decode(
            token,
            path.read_bytes(),
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={"require": ["exp", "iat", "nbf", "sub", "sid", "jti"]},
        )
    except (jwt.PyJWTError, ValueError):
        return None
    return claims


def refresh_token(session_id: str, counter: int, salt: bytes) -> str:
    """The token number `counter` of a session: always the same one."""
    words = b"refresh\0" + UUID(session_id).bytes + counter.to_bytes(8, "big") + salt
    return f"{session_id}.{counter}.{hmac.digest(env.require('SECRET_KEY').encode(), words, 'sha256').hex()}"


def hash_of(token: str) -> bytes:
    """What is stored of a refresh token."""
    return hashlib.sha256(token.encode()).digest()


def parse_refresh(token: str) -> tuple[str, int] | None:
    """(session id, counter) of what looks like a refresh token; whether it is one, only its hash shows."""
    session_id, _, rest = token.partition(".")
    counter, _, mac = rest.partition(".")
    try:
        if str(UUID(session_id)) != session_id or len(mac) != 64 or not counter.isascii() or not counter.isdigit():
            return None
        return (session_id, int(counter)) if len(counter) <= 9 else None
    except ValueError:
        return None
