"""The chain: it seals everything once, in one line, under a key that is not in the database."""

from __future__ import annotations

import base64
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.exceptions import InvalidSignature

from audit import chain
from audit.commands import seal_entries as command
from audit.commands.seal_entries import ChainBroken, seal_entries
from audit.models import CONTENT
from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.contracts.errors import Forbidden, Unauthorized
from shared.contracts.trades.events import TradeOpened, TradeSettled
from shared.settings.env import EnvConfig, SettingError
from shared.utils.ids import new_id
from shared.utils.time import get_utc_now


def test_entries_are_sealed_once_in_the_order_of_their_ids(five):
    rows = five.rows("SELECT s.number, s.entry_id::text, s.prev, s.hash FROM seals AS s ORDER BY number")
    assert [row[0] for row in rows] == [1, 2, 3, 4, 5]
    assert [row[1] for row in rows] == [row[0] for row in five.rows("SELECT id::text FROM entries ORDER BY id")]
    assert [bytes(row[2]) for row in rows] == [bytes(32), *(bytes(row[3]) for row in rows[:-1])]
    assert five.seal() == 0
    assert five.count("unsealed") == 0
    assert five.verify() == {
        "ok": True,
        "sealed": 5,
        "unsealed": 0,
        "head": bytes(rows[-1][3]).hex(),
        "signature": base64.b64encode(
            bytes(five.rows("SELECT signature FROM seal_heads ORDER BY upto")[-1][0])
        ).decode(),
        "problems": [],
    }


def test_the_hash_can_be_computed_without_the_database(five):
    """By the letter of the README: what JSON of PostgreSQL is, and two rounds of SHA-256."""
    prev = bytes(32)
    for row in five.rows(
        "SELECT e.*, a.envelope, s.hash AS seal FROM entries AS e JOIN seals AS s ON s.entry_id = e.id"
        " LEFT JOIN archive AS a USING (event_id) ORDER BY s.number"
    ):
        *texts, occurred_at, created_at, metadata, personal_hash, envelope, seal = row
        values = [
            *texts,
            *(f"{at:%Y-%m-%dT%H:%M:%S.%fZ}" for at in (occurred_at, created_at)),
            {key: metadata[key] for key in sorted(metadata, key=lambda name: (len(name.encode()), name))},
            bytes(personal_hash).hex(),
            hashlib.sha256(envelope.encode()).hexdigest() if envelope is not None else None,
        ]
        content = hashlib.sha256(json.dumps(values, ensure_ascii=False).encode()).digest()
        prev = hashlib.sha256(prev + content).digest()
        assert prev == bytes(seal)


def test_a_hash_is_the_same_whatever_a_session_sets(five):
    ask = f"SELECT {CONTENT} FROM entries AS e LEFT JOIN archive AS a USING (event_id) ORDER BY e.id"
    before = five.rows(ask)
    five.rows("SET timezone = 'Asia/Tokyo'; SET datestyle = 'German'; SET extra_float_digits = 0")
    try:
        assert five.rows(ask) == before
        assert five.violations() == {}
    finally:
        five.rows("RESET ALL")


def test_a_round_is_limited_and_rounds_go_on_where_the_last_one_ended(trail, monkeypatch):
    monkeypatch.setattr(command, "SIZE", 7)
    trail.hear(*(trail.told(TradeOpened) for _ in range(20)))
    assert [trail.seal() for _ in range(4)] == [7, 7, 6, 0]
    assert [row[0] for row in trail.rows("SELECT upto FROM seal_heads ORDER BY upto")] == [7, 14, 20]


def test_an_entry_that_commits_late_is_sealed_after_those_that_did_not_wait_for_it(trail):
    late = Database(trail.db.url.render_as_string(hide_password=False))
    with late.transaction():
        shared, trail.db = trail.db, late
        trail.hear(trail.told(TradeOpened))
        trail.db = shared
        trail.hear(trail.told(TradeSettled))
        assert trail.seal() == 1
    late.close()
    assert trail.seal() == 1
    order = trail.rows("SELECT action FROM entries AS e JOIN seals AS s ON s.entry_id = e.id ORDER BY s.number")
    assert order == [("TRADE_CLOSED",), ("TRADE_CREATED",)]


def test_sealers_at_once_make_one_chain(trail, monkeypatch):
    monkeypatch.setattr(command, "SIZE", 20)
    sealers = [Database(trail.db.url.render_as_string(hide_password=False)) for _ in range(4)]

    def work(db):
        return sum(seal_entries(db, trail.key, now=get_utc_now()) for _ in range(30))

    with ThreadPoolExecutor(5) as pool:
        writing = pool.submit(lambda: [trail.hear(*(trail.told(TradeOpened) for _ in range(10))) for _ in range(40)])
        sealed = sum(pool.map(work, sealers))
        writing.result()
    for db in sealers:
        db.close()
    while count := trail.seal():
        sealed += count
    assert sealed == 400 == trail.count("seals")
    assert trail.verify()["sealed"] == 400


def test_a_sealer_that_finds_another_at_work_leaves_it_alone(trail):
    trail.hear(trail.told(TradeOpened))
    trail.rows("SELECT pg_advisory_lock(7305917)")
    try:
        assert trail.seal() == 0
    finally:
        trail.rows("SELECT pg_advisory_unlock(7305917)")
    assert trail.seal() == 1


def test_a_head_is_signed_with_the_key_that_is_not_in_the_database(five, other_key):
    upto, hash_, signature, key_id, sealed_at = five.rows(
        "SELECT upto, hash, signature, key_id, sealed_at FROM seal_heads ORDER BY upto"
    )[-1]
    text = f"nexus audit 5 {bytes(hash_).hex()} {sealed_at:%Y-%m-%dT%H:%M:%S.%fZ}".encode()
    assert (upto, key_id) == (5, five.key.key_id)
    five.key.known[key_id].verify(bytes(signature), text)
    with pytest.raises(InvalidSignature):
        other_key.private.public_key().verify(bytes(signature), text)


def test_erasing_personal_data_leaves_a_chain_that_verifies(five):
    user = five.one("SELECT user_id::text FROM personal_data WHERE personal ->> 'username' = 'lovelace' LIMIT 1")[0]
    with five.db.transaction() as tx:
        tx.exec_driver_sql("DELETE FROM personal_data WHERE user_id = %s", (user,))
    assert five.count("personal_data") == 1
    assert five.violations() == {}
    assert five.verify()["ok"]


def test_a_chain_goes_on_under_a_new_key_when_the_old_one_is_known(five, other_key, keys, tmp_path):
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = five.key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "first.pem").write_bytes(public)
    five.hear(five.told(TradeOpened))
    first, five.key = five.key, other_key
    with pytest.raises(ChainBroken, match="unknown key"):
        five.seal()
    settings = {"AUDIT_SEAL_KEY_FILE": str(tmp_path / "other.pem"), "AUDIT_SEAL_OLD_KEYS_DIR": str(tmp_path / "old")}
    five.key = chain.SealKey.load(EnvConfig(settings, dotenv=None))
    assert five.seal() == 1
    assert five.verify()["ok"]
    assert {row[0] for row in five.rows("SELECT key_id FROM seal_heads")} == {first.key_id, other_key.key_id}


def test_an_empty_chain_verifies(trail):
    empty = {"ok": True, "sealed": 0, "unsealed": 0, "head": None, "signature": None, "problems": []}
    assert trail.verify() == empty


@pytest.mark.parametrize(
    ("caller", "error"), [(Context(kind="user", user_id=new_id()), Forbidden), (Context(), Unauthorized)]
)
def test_only_staff_verify(trail, caller, error):
    with pytest.raises(error):
        chain.verify_chain(trail.db, caller, trail.key)


@pytest.mark.parametrize("content", [None, b"", b"nonsense", "public"])
def test_without_a_usable_key_there_is_no_service(trail, tmp_path, content):
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    file = tmp_path / "key.pem"
    if content == "public":
        content = trail.key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    if content is not None:
        file.write_bytes(content)
    for settings in ({"AUDIT_SEAL_KEY_FILE": str(file)}, {}):
        with pytest.raises(SettingError):
            chain.SealKey.load(EnvConfig(settings, dotenv=None))
