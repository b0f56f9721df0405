"""What can be asked, by whom, page by page, and through an index; present state for those who fill a copy."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event

from referrals import events, queries
from shared.chassis.context import Context
from shared.contracts.errors import Forbidden, Unauthorized, ValidationFailed
from shared.contracts.referrals.errors import ReferralNotFound


def codes(desk: Any, caller: Context, owner_id: str | None = None, limit: int = 20, after: str | None = None) -> Any:
    return queries.list_codes(desk.db, caller, owner_id=owner_id, limit=limit, after=after)


def referrals(desk: Any, caller: Context, **asked: Any) -> Any:
    nothing = {"owner_id": None, "code_id": None, "limit": 20, "after": None}
    return queries.list_referrals(desk.db, caller, **{**nothing, **asked})


def come(desk: Any, person: Any, code: str) -> Any:
    made = person()
    desk.hear(made.registered(desk.claim(made, code)))
    return made


def pages(ask: Any) -> list[Any]:
    found, after = [], None
    while True:
        page = ask(after)
        found += page["results"]
        after = page["next"]
        assert page["has_more"] == (after is not None)
        if after is None:
            return found


def test_codes_are_listed_newest_first_to_their_owner_and_staff(desk: Any, staff: Context) -> None:
    owner, other = desk.owner(), desk.owner()
    made = [desk.generate(owner)["id"] for _ in range(4)]
    listed = pages(lambda after: codes(desk, owner.context, limit=2, after=after))
    assert [code["id"] for code in listed][:4] == made[::-1]
    assert listed[4]["code"] == owner.code
    assert codes(desk, staff, owner_id=owner.id)["results"] == listed
    assert len(pages(lambda after: codes(desk, staff, limit=2, after=after))) == 6
    assert [code["owner_id"] for code in codes(desk, other.context)["results"]] == [other.id]
    assert codes(desk, owner.context, owner_id=owner.id)["results"] == listed
    with pytest.raises(Forbidden):
        codes(desk, other.context, owner_id=owner.id)
    with pytest.raises(Unauthorized):
        codes(desk, Context())


def test_referrals_are_listed_once_they_are_confirmed(desk: Any, staff: Context, person: Any) -> None:
    owner, other = desk.owner(), desk.owner()
    further = desk.generate(owner)
    people = [come(desk, person, code) for code in (owner.code, further["code"], further["code"], other.code)]
    waiting, returned = person(), person()
    desk.claim(returned, owner.code)
    desk.give_back(minutes=10)
    desk.claim(waiting, owner.code)
    desk.award(person().awarded(), people[0].awarded())
    listed = pages(lambda after: referrals(desk, owner.context, limit=1, after=after))
    assert [one["referred_user_id"] for one in listed] == [one.id for one in people[2::-1]]
    assert [one["commission_awarded"] for one in listed] == [False, False, True]
    of_code = referrals(desk, owner.context, code_id=further["id"])["results"]
    assert of_code == listed[:2] == referrals(desk, staff, code_id=further["id"])["results"]
    assert referrals(desk, other.context, code_id=further["id"])["results"] == []
    assert len(referrals(desk, staff)["results"]) == 4
    assert referrals(desk, staff, owner_id=owner.id)["results"] == listed
    with pytest.raises(Forbidden):
        referrals(desk, other.context, owner_id=owner.id)


def test_a_cursor_is_good_for_its_own_list_alone(desk: Any, staff: Context) -> None:
    owner = desk.owner()
    desk.generate(owner)
    cursor = codes(desk, owner.context, limit=1)["next"]
    for ask in (
        lambda: codes(desk, staff, after=cursor),
        lambda: referrals(desk, owner.context, after=cursor),
        lambda: codes(desk, owner.context, after="x"),
    ):
        with pytest.raises(ValidationFailed):
            ask()


def test_who_referred_somebody_is_known_to_the_two_and_staff(desk: Any, staff: Context, person: Any) -> None:
    owner = desk.owner()
    new, waiting = come(desk, person, owner.code), person()
    desk.claim(waiting, owner.code)
    for caller in (new.context, owner.context, staff):
        found = queries.get_referral(desk.db, caller, new.id)
        assert (found["referred_user_id"], found["commission_awarded"]) == (new.id, False)
    for caller, asked in ((person().context, new), (staff, owner), (staff, waiting), (waiting.context, waiting)):
        with pytest.raises(ReferralNotFound):
            queries.get_referral(desk.db, caller, asked.id)
    with pytest.raises(Unauthorized):
        queries.get_referral(desk.db, Context(), new.id)


def test_present_state_comes_in_the_order_of_ids_with_its_version(desk: Any, person: Any) -> None:
    owner = desk.owner()
    made = [desk.generate(owner) for _ in range(3)]
    desk.change(owner, made[1]["id"], disabled=True)
    found, after = [], None
    with desk.db.read() as tx:
        while some := events.present(tx, "referral_code_changed", after=after, limit=2):
            found += some
            after = some[-1].subject
        with pytest.raises(KeyError):
            events.present(tx, "referral_registered", after=None, limit=2)
    assert [one.subject for one in found] == sorted(one.subject for one in found)
    assert len(found) == 4
    changed = next(one for one in found if one.subject == made[1]["id"])
    assert (changed.subject_version, changed.data.disabled, changed.data.changed) == (2, True, [])
    assert (changed.data.before, changed.data.after) == ({}, {})


def rows_read(plan: dict[str, Any]) -> int:
    """Rows that the scans of a plan went over."""
    own = plan.get("Actual Rows", 0) + plan.get("Rows Removed by Filter", 0) if "Scan" in plan["Node Type"] else 0
    return int(own * plan["Actual Loops"] + sum(rows_read(inner) for inner in plan.get("Plans", [])))


def test_nothing_reads_more_than_a_fraction_of_large_tables(desk: Any, staff: Context, person: Any) -> None:
    owner = desk.owner()
    further = desk.generate(owner)
    new = come(desk, person, further["code"])
    desk.tamper(
        "INSERT INTO referral_codes (id, code, kind, owner_id, created_at, updated_at)"
        " SELECT uuidv7(), 'code-' || n, 'further', %s, now(), now() FROM generate_series(1, 3000) AS n",
        desk.owner().id,
    )
    desk.tamper(
        "INSERT INTO referrals (id, code_id, owner_id, referred_user_id, state, claimed_at, confirmed_at, created_at)"
        " SELECT uuidv7(), c.id, c.owner_id, uuidv7(), s.state, now(),"
        " CASE s.state WHEN 'CONFIRMED' THEN now() END, now()"
        " FROM referral_codes AS c, (VALUES ('CONFIRMED'), ('RETURNED')) AS s (state)"
    )
    desk.rows("ANALYZE referral_codes, referrals")
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        statements.append(cursor.mogrify(statement, parameters).decode())

    event.listen(desk.db.engine, "before_cursor_execute", note)
    for caller in (owner.context, staff):
        after = codes(desk, caller, limit=1)["next"]
        codes(desk, caller, after=after)
        for asked in ({}, {"owner_id": owner.id}, {"code_id": further["id"]}):
            after = referrals(desk, caller, **asked, limit=1)["next"]
            referrals(desk, caller, **asked, after=after)
    queries.check_code(desk.db, further["code"], now=desk.now)
    queries.get_referral(desk.db, staff, new.id)
    with desk.db.read() as tx:
        events.present(tx, "referral_code_changed", after=further["id"], limit=10)
    desk.claim(person(), further["code"])
    desk.give_back()
    event.remove(desk.db.engine, "before_cursor_execute", note)
    asked_for = [statement for statement in statements if statement.startswith(("SELECT", "WITH"))]
    assert len(asked_for) > 20
    for statement in asked_for:
        (found,) = desk.one("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + statement.replace("%", "%%"))
        assert "Seq Scan" not in str(found), statement
        assert rows_read(found[0]["Plan"]) < 200, statement
