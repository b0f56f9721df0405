"""Keys: the pair that signs access tokens (the private half for users alone, the public half for the gateway), and the
one that seals the audit trail, for audit alone.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


def key_id(raw_public_key: bytes) -> str:
    """The `kid` of a public key: the first 16 hex digits of the SHA-256 of its 32 bytes."""
    return hashlib.sha256(raw_public_key).hexdigest()[:16]


def make_key_pair(private_file: Path, public_folder: Path) -> str:
    """Writes a new Ed25519 pair (PEM, the private file with mode 0600) and returns its key id."""
    private = Ed25519PrivateKey.generate()
    public = private.public_key()
    kid = key_id(public.public_bytes(Encoding.Raw, PublicFormat.Raw))
    public_folder.mkdir(parents=True, exist_ok=True)
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (public_folder / f"{kid}.pem").write_bytes(pem)
    _write(private, private_file)
    return kid


def make_seal_key(private_file: Path) -> None:
    """Writes a new private Ed25519 key (PEM, mode 0600)."""
    _write(Ed25519PrivateKey.generate(), private_file)


def _write(private: Ed25519PrivateKey, private_file: Path) -> None:
    descriptor = os.open(private_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
