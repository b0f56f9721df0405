"""The chain of hashes over all entries, and its signed head.

Each seal is sha256(hash of the seal before || hash of the entry's content), from number 1 on without a gap, and each
round of sealing signs where it ended. Who changes, drops or reorders sealed entries would have to forge that signature.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from sqlalchemy import Connection, text

from audit.models import CONTENT
from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.contracts.audit.rpc import ChainView
from shared.settings.env import EnvConfig, SettingError

GENESIS: Final = bytes(32)
"""What the first seal follows."""
_RANGE: Final = 2000
_SHOWN: Final = 20


@dataclass(frozen=True)
class SealKey:
    """The key that signs heads, its id (as of `kid`: see users), and the public keys that heads may be signed with."""

    private: Ed25519PrivateKey
    key_id: str
    known: Mapping[str, Ed25519PublicKey]

    @classmethod
    def load(cls, settings: EnvConfig) -> SealKey:
        """From the PEM file AUDIT_SEAL_KEY_FILE; earlier public keys from AUDIT_SEAL_OLD_KEYS_DIR, if there is one.

        Raises SettingError when a file is missing or is no Ed25519 key.
        """
        path, folder = settings.require("AUDIT_SEAL_KEY_FILE"), settings.get("AUDIT_SEAL_OLD_KEYS_DIR")
        try:
            private = load_pem_private_key(Path(path).read_bytes(), None)
            old = [load_pem_public_key(one.read_bytes()) for one in Path(folder).glob("*.pem")] if folder else []
        except OSError as error:
            raise SettingError(f"a key of audit cannot be read: {error.strerror}") from None
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise SettingError("AUDIT_SEAL_KEY_FILE or a file in AUDIT_SEAL_OLD_KEYS_DIR is no key in PEM") from None
        if not isinstance(private, Ed25519PrivateKey):
            raise SettingError("AUDIT_SEAL_KEY_FILE must hold an Ed25519 key")
        keys = [private.public_key(), *(key for key in old if isinstance(key, Ed25519PublicKey))]
        return cls(private, _id_of(keys[0]), {_id_of(key): key for key in keys})

    def sign(self, upto: int, hash_: bytes, sealed_at: datetime) -> bytes:
        """The signature of a head."""
        return self.private.sign(head_text(upto, hash_, sealed_at))


@dataclass(frozen=True, slots=True)
class End:
    """Where the chain ends: its last seal, and the last head; zero and nothing when there is none."""

    number: int
    hash: bytes
    upto: int
    head: bytes
    signature: bytes
    key_id: str
    sealed_at: datetime | None

    def problem(self, key: SealKey) -> str | None:
        """Why nothing may be sealed on top of this, or None."""
        if self.number == self.upto == 0:
            return None
        if (self.number, self.hash) != (self.upto, self.head) or self.sealed_at is None:
            return f"the last seal is {self.number}, the last head signs {self.upto} or another hash"
        public = key.known.get(self.key_id)
        if public is None:
            return f"the last head is signed with the unknown key {self.key_id}"
        try:
            public.verify(self.signature, head_text(self.upto, self.head, self.sealed_at))
        except InvalidSignature:
            return "the signature of the last head is not valid"
        return None


def head_text(upto: int, hash_: bytes, sealed_at: datetime) -> bytes:
    """What is signed: `nexus audit <upto> <hash in hex> <UTC, with all six decimals>`, without an end of line."""
    instant = sealed_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return f"nexus audit {upto} {hash_.hex()} {instant}".encode()


def link(prev: bytes, contents: Iterable[bytes]) -> list[bytes]:
    """The hashes of the seals that follow `prev`."""
    hashes = []
    for content in contents:
        prev = hashlib.sha256(prev + content).digest()
        hashes.append(prev)
    return hashes


# One statement, one snapshot: a round of sealing adds its seals and its head together.
_END: Final = text(
    "SELECT s.number, s.hash, h.upto, h.hash AS head, h.signature, h.key_id, h.sealed_at"
    " FROM (SELECT number, hash FROM seals ORDER BY number DESC LIMIT 1) AS s"
    " FULL JOIN (SELECT * FROM seal_heads ORDER BY upto DESC LIMIT 1) AS h ON true"
)


def end(tx: Connection) -> End:
    """The present end of the chain."""
    row = tx.execute(_END).one_or_none()
    if row is None:
        return End(0, GENESIS, 0, GENESIS, b"", "", None)
    return End(
        row.number or 0,
        _bytes(row.hash),
        row.upto or 0,
        _bytes(row.head),
        _bytes(row.signature),
        row.key_id or "",
        row.sealed_at,
    )


# Of a gap only the seal after it is told, not all that follow.
_WALK: Final = text(
    f"""
    SELECT count(*) AS seals, max(number) AS last, (array_agg(hash ORDER BY number DESC))[1] AS hash,
        array_agg(number ORDER BY number) FILTER (WHERE NOT follows) AS loose,
        array_agg(number ORDER BY number) FILTER (WHERE is_whole IS NOT TRUE) AS changed
    FROM (
        SELECT s.number, s.hash, s.hash = sha256(s.prev || {CONTENT}) AS is_whole,
            s.number = coalesce(lag(s.number) OVER chain, :after) + 1
                AND s.prev = coalesce(lag(s.hash) OVER chain, CAST(:hash AS bytea)) AS follows
        FROM (SELECT * FROM seals WHERE number > :after AND number <= :upto ORDER BY number LIMIT :size) AS s
        LEFT JOIN entries AS e ON e.id = s.entry_id
        LEFT JOIN archive AS a ON a.event_id = e.event_id
        WINDOW chain AS (ORDER BY s.number)
    ) AS walked
    """
)
_WAITING: Final = text("SELECT count(*) FROM unsealed")


def verify_chain(db: Database, caller: Context, key: SealKey) -> ChainView:
    """Every seal that there is now, a range at a time: PostgreSQL hashes. Raises Forbidden, DeadlineExceeded."""
    caller.require_staff()
    with db.read() as tx:
        last = end(tx)
        unsealed = tx.execute(_WAITING).scalar_one()
    sealed, found, after, hash_ = 0, 0, 0, GENESIS
    problems = [problem] if (problem := last.problem(key)) is not None else []
    while after < last.number:
        with db.read() as tx:
            row = tx.execute(_WALK, {"after": after, "hash": hash_, "upto": last.number, "size": _RANGE}).one()
        if not row.seals:
            break
        told = [f"seal {number} does not follow the one before" for number in row.loose or ()]
        told += [f"seal {number}: its entry is changed or gone" for number in row.changed or ()]
        found += len(told)
        problems += told[: _SHOWN - len(problems)]
        sealed, after, hash_ = sealed + row.seals, row.last, _bytes(row.hash)
    if found > len(problems):
        problems.append(f"{found} seals in all")
    return ChainView(
        ok=not problems,
        sealed=sealed,
        unsealed=unsealed,
        head=last.head.hex() if last.upto else None,
        signature=base64.b64encode(last.signature).decode() if last.upto else None,
        problems=problems,
    )


def _bytes(value: Any) -> bytes:
    return GENESIS if value is None else bytes(value)


def _id_of(public: Ed25519PublicKey) -> str:
    return hashlib.sha256(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]
