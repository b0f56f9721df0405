"""The service as a process at the real broker."""

from __future__ import annotations

import pytest

from shared.chassis import wire
from shared.chassis.context import Context
from shared.chassis.testing import eventually
from shared.contracts.envelope import EVENTS
from shared.contracts.errors import Forbidden, ValidationFailed
from shared.contracts.users.events import UserRegistered
from shared.devstack.registry import plan
from shared.utils.ids import new_id

plan()  # imports every owner's events
HEARD = [cls for cls in EVENTS.values() if "audit" in cls.readers]
STAFF = Context(kind="staff", roles=("staff",), user_id="01920000-0000-7000-8000-0000000000aa", ip="198.51.100.4")


def test_every_event_becomes_one_sealed_entry_however_many_processes_hear_and_seal(trail, run_service, rpc, publish):
    processes = [run_service("audit") for _ in range(2)]
    ids = [new_id() for _ in HEARD for _ in range(10)]
    for round_ in range(2):
        for number, event_id in enumerate(ids):
            cls = HEARD[number % len(HEARD)]
            publish(cls.example(), subject=f"thing {number}", event_id=event_id, personal={"username": f"u{round_}"})
    eventually(lambda: trail.count("entries") == len(ids), timeout=30)
    eventually(lambda: trail.count("seals") == len(ids), timeout=30)
    assert {row[0] for row in trail.rows("SELECT event_id::text FROM entries")} == set(ids)
    assert trail.violations() == {}
    answer = rpc.call("audit", "verify_chain", ctx=STAFF)
    assert (answer["ok"], answer["sealed"], answer["unsealed"], answer["problems"]) == (True, len(ids), 0, [])
    assert [process.terminate() for process in processes] == [0, 0]


def test_it_records_lists_and_refuses_over_rpc(trail, run_service, rpc, publish):
    run_service("audit")
    trader = Context(kind="user", user_id=UserRegistered.example().user_id, ip="203.0.113.7")
    denied = {
        "record_id": new_id(),
        "action": "ACCESS_DENIED",
        "result": "denied",
        "subject_type": "route",
        "subject_id": "GET /audit",
        "occurred_at": "2026-03-02T10:00:00Z",
    }
    for _ in range(2):
        assert rpc.call("audit", "record", ctx=trader, **denied) == {}
    publish(UserRegistered.example(), subject=trader.user_id, personal={"username": "ada"})
    eventually(lambda: trail.count("user_names") == 1)
    page = rpc.call("audit", "list_entries", ctx=STAFF, user_id=trader.user_id)
    assert [entry["action"] for entry in page["results"]] == ["USER_REGISTERED", "ACCESS_DENIED"]
    assert page["results"][1]["actor"]["username"] == "ada"
    assert page["results"][1]["ip"] == "203.0.113.7"
    for method in ("list_entries", "verify_chain"):
        with pytest.raises(Forbidden):
            rpc.call("audit", method, ctx=trader)
    with pytest.raises(ValidationFailed):
        rpc.call("audit", "record", ctx=trader, **{**denied, "action": "lower case"})


def test_an_event_that_cannot_be_recorded_is_parked_and_keeps_no_other(trail, run_service, broker, publish):
    good = [publish(UserRegistered.example(), subject=f"thing {number}") for number in range(4)]
    bad = trail.told(UserRegistered, occurred_at="2026-02-31T00:00:00Z").envelope
    broker.publish_raw("users.events", "user_registered", wire.dumps(bad.to_json()))
    good.append(publish(UserRegistered.example(), subject="thing 4"))
    run_service("audit")
    eventually(lambda: broker.parked("audit") == 1)
    eventually(lambda: trail.count("entries") == 5)
    assert {row[0] for row in trail.rows("SELECT event_id::text FROM entries")} == {envelope.id for envelope in good}


def test_present_state_that_is_sent_again_fills_the_copy_and_is_no_entry(trail, run_service, broker):
    run_service("audit")
    again = trail.told(UserRegistered, republished=True, subject_version=7, personal={"username": "ada"}).envelope
    broker.publish_raw("users.events", "user_registered", wire.dumps(again.to_json()))
    eventually(lambda: trail.count("user_copies") == 1)
    assert trail.one("SELECT version, username FROM user_copies JOIN user_names USING (user_id)") == (7, "ada")
    assert (trail.count("entries"), trail.count("archive")) == (0, 0)


def test_without_its_key_it_refuses_to_start(trail, run_service):
    process = run_service("audit", wait=False, AUDIT_SEAL_KEY_FILE="")
    assert process.process.wait(30) == 5
    assert "AUDIT_SEAL_KEY_FILE is not set" in process.log()


def test_it_goes_on_hearing_but_never_seals_a_chain_that_was_made_anew(trail, run_service, publish):
    trail.hear(trail.told(UserRegistered))
    trail.seal()
    trail.tamper("UPDATE seal_heads SET signature = sha256('')")
    process = run_service("audit")
    publish(UserRegistered.example(), subject=new_id())
    eventually(lambda: "ChainBroken" in process.log())
    eventually(lambda: trail.count("unsealed") == 1)
    assert trail.count("seals") == 1
