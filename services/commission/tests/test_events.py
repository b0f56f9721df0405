"""Present state for those who fill a copy."""

from __future__ import annotations

import pytest

from commission import events
from shared.contracts import schema


def page(office, after=None, limit=100):
    with office.db.read() as tx:
        return events.present(tx, "commission_rule_changed", after=after, limit=limit)


def test_the_present_version_of_every_rule_page_by_page_in_order_of_their_ids(office):
    owners = [office.user() for _ in range(5)]
    for owner in owners:
        office.set_rule(owner, "5", "1")
    office.go(seconds=1)
    changed = office.set_rule(owners[2], "6", "1")
    found = page(office)
    assert [one.subject for one in found] == sorted(one.subject for one in found)
    assert {one.data.owner_id for one in found} == set(owners)
    assert all(one.data.before == {} for one in found)
    told = {one.data["rule_id"]: one for one in office.told("commission_rule_changed")}
    for one in found:
        newest = told[one.subject]
        assert (one.subject, one.subject_version) == (newest.subject, newest.subject_version)
        assert schema.dump(one.data) == {**newest.data, "before": {}}
    assert next(one.subject_version for one in found if one.subject == changed["id"]) == 2
    walked, after = [], None
    while some := page(office, after, limit=2):
        walked += some
        after = some[-1].subject
    assert walked == found


def test_other_types_have_no_present_state(office):
    for type_ in ("commission_accrued", "user_registered", ""):
        with office.db.read() as tx, pytest.raises(KeyError):
            events.present(tx, type_, after=None, limit=1)
