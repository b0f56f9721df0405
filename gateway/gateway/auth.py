"""Who is calling: access tokens, verified here with public keys alone, and what users says has ended since."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from gateway.errors import SessionEnded
from gateway.revocations import Revocations
from shared.contracts.errors import Unauthorized
from shared.contracts.users.errors import InvalidToken

_KID = re.compile(r"[0-9a-f]{16}")
_MOST = 10_000
_LONGEST = 4096


@dataclass(frozen=True, slots=True)
class Identity:
    """What a good token says. `expires` is in seconds since the epoch."""

    user_id: str
    session_id: str
    roles: tuple[str, ...]
    expires: float

    @property
    def is_staff(self) -> bool:
        return "staff" in self.roles


class Authenticator:
    """Verifies tokens; the outcome of a verification is kept until the token expires."""

    def __init__(self, folder: str, revocations: Revocations) -> None:
        self._folder = Path(folder)
        self._revocations = revocations
        self._keys: dict[str, Ed25519PublicKey] = {}
        self._seen: dict[str, Identity] = {}

    def identify(self, header: str | None) -> Identity:
        """Whom the token names. Raises Unauthorized without a bearer token, InvalidToken for a bad or expired one."""
        if header is None:
            raise Unauthorized
        scheme, _, token = header.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token or len(token) > _LONGEST:
            raise Unauthorized
        identity = self._seen.get(token)
        if identity is None:
            identity = self._verify(token)
            if len(self._seen) >= _MOST:
                self._seen.clear()
            self._seen[token] = identity
        if identity.expires <= time.time():
            raise InvalidToken
        return identity

    def refuse_ended(self, identity: Identity) -> None:
        """Raises SessionEnded when users has said so."""
        if self._revocations.covers(identity.user_id, identity.session_id):
            raise SessionEnded

    def _verify(self, token: str) -> Identity:
        try:
            header = jwt.get_unverified_header(token)
            if header.get("typ") != "at+jwt" or "crit" in header:
                raise InvalidToken
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key(header.get("kid")),
                algorithms=["EdDSA"],
                audience="nexus-api",
                issuer="nexus",
                options={"require": ["exp", "iat", "nbf", "sub", "sid", "jti"]},
            )
            roles = claims.get("roles", [])
            if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
                raise InvalidToken
            return Identity(str(claims["sub"]), str(claims["sid"]), tuple(roles), float(claims["exp"]))
        except (jwt.PyJWTError, ValueError, TypeError):
            raise InvalidToken from None

    def _key(self, kid: object) -> Ed25519PublicKey:
        if not isinstance(kid, str) or not _KID.fullmatch(kid):
            raise InvalidToken
        key = self._keys.get(kid)
        if key is None:
            # A key that was put there since the start is found when the first token names it.
            try:
                loaded = load_pem_public_key((self._folder / f"{kid}.pem").read_bytes())
            except (OSError, ValueError):
                raise InvalidToken from None
            if not isinstance(loaded, Ed25519PublicKey):
                raise InvalidToken
            key = self._keys[kid] = loaded
        return key
