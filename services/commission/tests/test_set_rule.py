"""Rules: a change is a new version from its time on, told once, and never touches the past."""

from __future__ import annotations

import threading
import time
from decimal import Decimal

import pytest

from commission.rules import Conditions
from shared.chassis.context import Context, Idempotency
from shared.contracts import schema
from shared.contracts.commission.events import CommissionRuleChanged
from shared.contracts.errors import Forbidden, IdempotencyMismatch, NotReady, Unauthorized, ValidationFailed
from shared.utils.ids import new_id
from shared.utils.time import from_rfc3339, to_rfc3339

STAFF = "01920000-0000-7000-8000-000000000009"


@pytest.fixture
def owner(office):
    return office.user()


def versions(office, owner):
    return office.rows(
        "SELECT v.version, v.referral_percent, v.markup_percent, v.valid_from FROM rule_versions AS v"
        " JOIN rules AS r ON r.id = v.rule_id WHERE r.owner_id = %s ORDER BY v.version",
        owner,
    )


def test_the_first_rule_is_version_one_and_told_without_a_before(office, owner):
    rule = office.set_rule(owner, "5", "2.5")
    now = to_rfc3339(office.now)
    assert rule == {
        "id": rule["id"],
        "owner_id": owner,
        "referral_percent": "5.00",
        "markup_percent": "2.50",
        "version": 1,
        "created_at": now,
        "updated_at": now,
    }
    (told,) = office.told("commission_rule_changed")
    assert (told.subject, told.subject_version, told.occurred_at) == (rule["id"], 1, now)
    assert (told.actor.role, told.actor.user_id) == ("staff", STAFF)
    assert schema.load(CommissionRuleChanged, told.data) == CommissionRuleChanged(
        rule_id=rule["id"],
        owner_id=owner,
        rule_version=1,
        referral_percent="5.00",
        markup_percent="2.50",
        valid_from=now,
        before={},
        after={"referral_percent": "5.00", "markup_percent": "2.50"},
    )


def test_each_change_is_the_next_version_of_the_same_rule_and_told_with_its_before(office, owner):
    rules = []
    for referral, markup in (("5", "2"), ("5.00", "2.00"), ("5", "1"), ("0", "1"), ("0", "1")):
        office.go(seconds=1)
        rules.append(office.set_rule(owner, referral, markup))
    assert [rule["version"] for rule in rules] == [1, 1, 2, 3, 3]
    assert len({rule["id"] for rule in rules}) == len({rule["created_at"] for rule in rules}) == 1
    told = [
        (one.subject_version, one.data["before"], one.data["after"]) for one in office.told("commission_rule_changed")
    ]
    first, second, third = (
        {"referral_percent": referral, "markup_percent": markup}
        for referral, markup in (("5.00", "2.00"), ("5.00", "1.00"), ("0.00", "1.00"))
    )
    assert told == [(1, {}, first), (2, first, second), (3, second, third)]
    noted = versions(office, owner)
    assert [row[:3] for row in noted] == [
        (1, Decimal(5), Decimal(2)),
        (2, Decimal(5), Decimal(1)),
        (3, Decimal(0), Decimal(1)),
    ]
    assert [to_rfc3339(row[3]) for row in noted] == [
        rules[0]["updated_at"],
        rules[2]["updated_at"],
        rules[3]["updated_at"],
    ]
    assert office.rows("SELECT DISTINCT set_by::text FROM rule_versions") == [(STAFF,)]


def test_a_clock_that_goes_back_does_not_bring_an_old_version_back(office, owner):
    first = office.set_rule(owner, "5")
    office.go(hours=-1)
    second = office.set_rule(owner, "6")
    assert from_rfc3339(second["updated_at"]) > from_rfc3339(first["updated_at"])
    assert second["version"] == 2


@pytest.mark.parametrize(
    ("referral", "markup", "fields"),
    [
        ("100.01", "3", ["referral_percent"]),
        ("100", "3.01", ["markup_percent"]),
        ("999", "999", ["referral_percent", "markup_percent"]),
    ],
)
def test_more_than_a_maximum_is_an_error_of_its_field(office, owner, referral, markup, fields):
    with pytest.raises(ValidationFailed) as refused:
        office.set_rule(owner, referral, markup)
    assert [(error["field"], error["code"]) for error in refused.value.errors] == [
        (name, "too_large") for name in fields
    ]
    assert versions(office, owner) == []


def test_the_maxima_themselves_are_allowed_and_the_setting_moves_one(office, owner):
    assert office.set_rule(owner, "100", "3")["version"] == 1
    assert office.set_rule(owner, "100", "5", conditions=Conditions(markup_max=Decimal(5)))["markup_percent"] == "5.00"
    with pytest.raises(ValidationFailed):
        office.set_rule(owner, "100", "3", conditions=Conditions(markup_max=Decimal(2)))


def test_only_staff_may(office, owner):
    with pytest.raises(Forbidden):
        office.set_rule(owner, caller=Context(kind="user", user_id=owner))
    for kind in ("anonymous", "system"):
        with pytest.raises(Unauthorized):
            office.set_rule(owner, caller=Context(kind=kind))
    assert versions(office, owner) == []


def test_an_owner_who_is_unknown_is_waited_for_a_second_and_not_guessed(office):
    begun = time.monotonic()
    with pytest.raises(NotReady):
        office.set_rule(new_id())
    assert 1.0 <= time.monotonic() - begun < 2.0
    assert office.rows("SELECT * FROM rules") == []


def test_an_owner_who_arrives_meanwhile_gets_his_rule(office):
    owner = new_id()
    arrival = threading.Timer(0.2, lambda: office.hear(office.registered(owner)))
    arrival.start()
    try:
        assert office.set_rule(owner)["owner_id"] == owner
    finally:
        arrival.join()


def test_changes_at_the_same_time_are_versions_one_after_the_other(office, owner, at_once):
    answers = at_once(*[lambda percent=percent: office.set_rule(owner, str(percent)) for percent in range(1, 21)])
    assert sorted(answer["version"] for answer in answers) == list(range(1, 21))
    noted = versions(office, owner)
    assert [row[0] for row in noted] == list(range(1, 21))
    assert len({row[3] for row in noted}) == 20
    told = office.told("commission_rule_changed")
    assert [one.subject_version for one in told] == list(range(1, 21))
    assert [one.data["before"] for one in told[1:]] == [one.data["after"] for one in told[:-1]]


def test_the_same_change_by_many_at_once_is_one_version(office, owner, at_once):
    answers = at_once(*[lambda: office.set_rule(owner, "7")] * 20)
    assert {answer["version"] for answer in answers} == {1}
    assert len(office.told("commission_rule_changed")) == 1


def test_a_repeated_call_does_not_undo_what_came_after_it(office, owner):
    key = Idempotency("a-key-of-sixteen-or-more", "PUT /commission/rules/{owner_id}", "hash")
    office.set_rule(owner, "5", key=key)
    office.set_rule(owner, "6")
    again = office.set_rule(owner, "5", key=key)
    assert (again["referral_percent"], again["version"]) == ("6.00", 2)
    with pytest.raises(IdempotencyMismatch):
        office.set_rule(owner, "7", key=Idempotency(key.key, key.route, "other"))
    assert len(versions(office, owner)) == 2
