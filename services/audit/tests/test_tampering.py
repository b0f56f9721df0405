"""Whatever is done to what has been sealed, past triggers and rights, shows in the invariants or to who has the key."""

from __future__ import annotations

import hashlib
import re
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from audit import chain
from audit.commands.seal_entries import ChainBroken
from audit.models import CONTENT
from shared.contracts.trades.events import TradeOpened
from shared.utils.time import get_utc_now

SEALED, BROKEN, HEADS = "sealed_as_it_was", "chain_unbroken", "heads_are_seals"
TIME, EVENTS, PERSONAL = "sealed_in_time", "entries_are_events", "personal_data_as_it_was"


DAMAGE = [
    ("UPDATE entries SET result = 'failure' WHERE id = {second}", {SEALED}, ["seal 2: its entry is changed or gone"]),
    ("UPDATE entries SET created_at = created_at - interval '1 microsecond' WHERE id = {second}", {SEALED}, None),
    (
        "UPDATE entries SET metadata = jsonb_set(metadata, '{{payout}}', '1') WHERE id = {second}",
        {SEALED, EVENTS},
        None,
    ),
    ("UPDATE entries SET user_id = NULL WHERE id = {second}", {SEALED}, None),
    ("UPDATE entries SET personal_hash = sha256('') WHERE id = {second}", {SEALED, PERSONAL}, None),
    (
        "UPDATE archive SET envelope = replace(envelope, 'WON', 'LOST') WHERE type = 'trade_settled'",
        {SEALED, EVENTS},
        None,
    ),
    ("UPDATE archive SET type = 'trade_opened'", {EVENTS}, []),
    ("DELETE FROM entries WHERE id = {second}", {SEALED, EVENTS, PERSONAL}, ["seal 2: its entry is changed or gone"]),
    ("DELETE FROM archive WHERE type = 'trade_settled'", {SEALED, EVENTS}, ["seal 2: its entry is changed or gone"]),
    ("DELETE FROM seals WHERE number = 2", {BROKEN, TIME}, ["seal 3 does not follow the one before"]),
    (
        (
            "DELETE FROM entries WHERE id = {second}; DELETE FROM seals WHERE number = 2;"
            " UPDATE seals SET number = number - 1 WHERE number > 2; UPDATE seal_heads SET upto = upto - 1"
        ),
        {BROKEN, EVENTS, PERSONAL},
        ["the signature of the last head is not valid", "seal 2 does not follow the one before"],
    ),
    (
        "DELETE FROM seals WHERE number = 5",
        {HEADS, TIME},
        ["the last seal is 4, the last head signs 5 or another hash"],
    ),
    (
        (
            "DELETE FROM entries WHERE id IN (SELECT entry_id FROM seals WHERE number > 3);"
            " DELETE FROM seals WHERE number > 3"
        ),
        {HEADS, EVENTS, PERSONAL},
        ["the last seal is 3, the last head signs 5 or another hash"],
    ),
    ("DELETE FROM seal_heads WHERE upto = 5", {HEADS}, ["the last seal is 5, the last head signs 3 or another hash"]),
    ("DELETE FROM seal_heads", {HEADS}, ["the last seal is 5, the last head signs 0 or another hash"]),
    (
        (
            "UPDATE seals SET entry_id = x.other FROM (SELECT s.number, o.entry_id AS other FROM seals AS s"
            " JOIN seals AS o ON s.number + o.number = 3) AS x WHERE seals.number = x.number"
        ),
        {SEALED},
        ["seal 1: its entry is changed or gone", "seal 2: its entry is changed or gone"],
    ),
    (
        "UPDATE seal_heads SET signature = sha256('') WHERE upto = 5",
        set(),
        ["the signature of the last head is not valid"],
    ),
    ("UPDATE seal_heads SET sealed_at = now() WHERE upto = 5", set(), ["the signature of the last head is not valid"]),
    (
        "UPDATE seal_heads SET key_id = 'mine' WHERE upto = 5",
        set(),
        ["the last head is signed with the unknown key mine"],
    ),
    ("UPDATE seal_heads SET hash = sha256('') WHERE upto = 3", {HEADS}, []),
    ("UPDATE personal_data SET personal = jsonb_set(personal, '{{ip}}', '\"10.0.0.1\"')", {PERSONAL}, []),
    ("UPDATE personal_data SET salt = sha256('') WHERE entry_id = {second}", {PERSONAL}, []),
]


@pytest.mark.parametrize(("damage", "violated", "problems"), DAMAGE, ids=[damage[0][:60] for damage in DAMAGE])
def test_whoever_has_the_databases_own_password_is_found_out(five, damage, violated, problems):
    second = five.one("SELECT entry_id::text FROM seals WHERE number = 2")[0]
    five.tamper("ALTER TABLE seals DROP CONSTRAINT seals_entry_id")
    try:
        five.tamper(damage.format(second=f"'{second}'"))
        assert set(five.violations()) == violated
        answer = five.verify()
        assert answer["problems"] == (["seal 2: its entry is changed or gone"] if problems is None else problems)
        assert answer["ok"] is (problems == [])
    finally:
        five.tamper("DELETE FROM seals; ALTER TABLE seals ADD CONSTRAINT seals_entry_id UNIQUE (entry_id)")


def test_an_entry_that_nobody_queued_or_sealed_is_found(trail):
    trail.hear(trail.told(TradeOpened), now=get_utc_now().replace(year=2025))
    assert set(trail.violations()) == {TIME}
    trail.seal()
    assert trail.violations() == {}
    trail.hear(trail.told(TradeOpened))
    trail.tamper("DELETE FROM unsealed")
    assert set(trail.violations()) == {TIME}


def rewrite(trail, statement):
    """As an attacker who knows how the chain is made, but has not the key: all after his change is computed anew."""
    trail.tamper(statement)
    prev = bytes(32)
    for number, content in trail.rows(
        f"SELECT s.number, {CONTENT} FROM seals AS s JOIN entries AS e ON e.id = s.entry_id"
        " LEFT JOIN archive AS a USING (event_id) ORDER BY s.number"
    ):
        hash_ = hashlib.sha256(prev + bytes(content)).digest()
        trail.tamper("UPDATE seals SET prev = %s, hash = %s WHERE number = %s", prev, hash_, number)
        prev = hash_
    trail.tamper("UPDATE seal_heads AS h SET hash = s.hash FROM seals AS s WHERE s.number = h.upto")


def test_a_chain_that_was_made_anew_lacks_the_signature_and_is_never_sealed_on(five, other_key):
    rewrite(five, "UPDATE entries SET result = 'denied' WHERE id = (SELECT entry_id FROM seals WHERE number = 2)")
    assert five.violations() == {}
    assert five.verify()["problems"] == ["the signature of the last head is not valid"]
    five.hear(five.told(TradeOpened))
    with pytest.raises(ChainBroken, match="signature"):
        five.seal()
    last = chain.end(five.db.engine.connect())
    forged = other_key.sign(last.number, last.hash, last.sealed_at)
    five.tamper("UPDATE seal_heads SET signature = %s, key_id = %s WHERE upto = 5", forged, other_key.key_id)
    with pytest.raises(ChainBroken, match="unknown key"):
        five.seal()
    assert (five.count("seals"), five.count("unsealed")) == (5, 1)


def test_many_problems_are_counted_and_a_few_are_shown(trail, monkeypatch):
    monkeypatch.setattr(chain, "_RANGE", 8)
    trail.hear(*(trail.told(TradeOpened) for _ in range(50)))
    trail.seal()
    assert trail.verify()["sealed"] == 50
    trail.tamper("UPDATE entries SET result = 'denied' WHERE id IN (SELECT entry_id FROM seals WHERE number > 9)")
    answer = trail.verify()
    assert (answer["ok"], answer["sealed"], len(answer["problems"])) == (False, 50, 21)
    assert answer["problems"][0] == "seal 10: its entry is changed or gone"
    assert answer["problems"][-1] == "41 seals in all"


def test_the_readme_verifies_the_chain_by_hand(five, databases):
    (check,) = re.findall(r"```sql\n(.*?)```", (Path(__file__).parents[1] / "README.md").read_text(), re.DOTALL)
    with closing(psycopg2.connect(databases.url("audit", "nexus_verify"))) as connection:
        connection.autocommit = True
        cursor = connection.cursor()

        def broken():
            cursor.execute(check)
            return [row[0] for row in cursor.fetchall()]

        assert broken() == []
        five.tamper("UPDATE entries SET result = 'denied' WHERE id = (SELECT entry_id FROM seals WHERE number = 2)")
        assert broken() == [2]
        five.tamper("DELETE FROM seals WHERE number = 4")
        assert broken() == [2, 5]
