"""What no event tells of: recorded once, with who and from where taken from the call."""

from __future__ import annotations

import pytest

from shared.chassis.context import Context
from shared.contracts.errors import ValidationFailed
from shared.utils.ids import new_id

USER = "01920000-0000-7000-8000-000000000001"
TRADER = Context(kind="user", user_id=USER, ip="203.0.113.7", user_agent="a browser", causation_id="why")


def test_denied_access_says_who_tried_what_from_where(trail):
    trail.record(TRADER)
    (entry,) = trail.read()["results"]
    assert {name: entry[name] for name in ("action", "result", "user_id", "ip", "subject_type", "subject_id")} == {
        "action": "ACCESS_DENIED",
        "result": "denied",
        "user_id": USER,
        "ip": "203.0.113.7",
        "subject_type": "route",
        "subject_id": "GET /audit",
    }
    assert entry["actor"] == {"user_id": USER, "username": None, "role": "user", "kind": "user"}
    assert (entry["correlation_id"], entry["causation_id"]) == (TRADER.correlation_id, "why")
    assert entry["metadata"] == {"code": "forbidden"}
    assert trail.one(
        "SELECT personal FROM personal_data JOIN entries ON id = entry_id WHERE action = 'ACCESS_DENIED'"
    ) == ({"ip": "203.0.113.7", "user_agent": "a browser"},)


def test_a_record_is_made_once_whoever_repeats_it_and_with_whatever(trail):
    record_id = new_id()
    trail.record(TRADER, record_id=record_id)
    trail.seal()
    trail.record(TRADER, record_id=record_id)
    trail.record(Context(kind="staff", user_id=new_id()), record_id=record_id, result="success", metadata={})
    assert trail.one("SELECT actor_kind, result FROM entries") == ("user", "denied")
    assert (trail.count("personal_data"), trail.count("unsealed"), trail.count("archive")) == (1, 0, 0)


def test_nobody_in_particular_can_be_recorded(trail):
    trail.record(Context(kind="anonymous"), description="", metadata=None)
    row = trail.one("SELECT user_id, actor_user_id, actor_role, actor_kind, metadata, personal_hash FROM entries")
    assert row == (None, None, "anonymous", "anonymous", {}, None)
    assert trail.count("personal_data") == 0


@pytest.mark.parametrize(("kind", "role"), [("staff", "staff"), ("user", "user"), ("system", "system")])
def test_the_role_is_the_callers(trail, kind, role):
    trail.record(Context(kind=kind, user_id=USER))
    assert trail.one("SELECT actor_role, actor_kind FROM entries") == (role, kind)


@pytest.mark.parametrize("occurred_at", ["2026-02-30T10:00:00Z", "2026-03-02T25:00:00Z"])
def test_a_time_that_there_is_not_is_a_field_error(trail, occurred_at):
    with pytest.raises(ValidationFailed) as refused:
        trail.record(TRADER, occurred_at=occurred_at)
    assert refused.value.errors[0]["field"] == "occurred_at"


def test_a_record_is_not_taken_for_an_event(trail):
    for action in ("TRADE_CREATED", "TRANSACTION_RECORDED", "COMMISSION_AWARDED"):
        trail.record(Context(kind="staff", user_id=USER), action=action, subject_id="a trade", result="success")
    for fact in ("audited_trade", "audited_ledger", "audited_award"):
        assert trail.facts(fact) == {}
