"""What staff see of the trail, and that their looking is in it."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from sqlalchemy import event

from shared.chassis.context import Context
from shared.contracts.envelope import Actor
from shared.contracts.errors import Forbidden, Unauthorized, ValidationFailed
from shared.contracts.trades.events import TradeOpened, TradeSettled
from shared.contracts.users.events import UserLoggedIn, UserRegistered
from shared.utils.ids import new_id

USER, OTHER = (UserRegistered.example().user_id, "01920000-0000-7000-8000-0000000000bb")


def about(trail, cls, user_id, **changes):
    return trail.told(dataclasses.replace(cls.example(), user_id=user_id), **changes)


@pytest.fixture
def history(trail):
    """Thirty entries: of two users, three actions, ten subjects."""
    for number in range(30):
        cls = (TradeOpened, TradeSettled, UserLoggedIn)[number % 3]
        trail.hear(about(trail, cls, (USER, OTHER)[number % 2], subject=f"thing {number % 10}"))
    return trail


def test_an_entry_shows_who_did_it_and_from_where(trail):
    staff = "01920000-0000-7000-8000-0000000000cc"
    trail.keep(about(trail, UserRegistered, staff, personal={"username": "grace"}))
    actor = Actor(user_id=staff, role="staff", kind="staff")
    told = about(trail, UserLoggedIn, USER, actor=actor, personal=trail.personal)
    trail.hear(told)
    (entry,) = trail.read(action="USER_LOGIN")["results"]
    shown = {name: entry.pop(name) for name in ("id", "created_at")}
    assert entry == {
        "action": "USER_LOGIN",
        "description": "Logged in",
        "user_id": USER,
        "actor": {"user_id": staff, "username": "grace", "role": "staff", "kind": "staff"},
        "subject_type": "session",
        "subject_id": told.envelope.subject,
        "ip": "203.0.113.7",
        "result": "success",
        "correlation_id": told.envelope.correlation_id,
        "causation_id": told.envelope.causation_id,
        "occurred_at": "2026-03-02T09:59:59.125000Z",
        "metadata": told.envelope.data,
    }
    assert shown["created_at"].endswith("Z")


def test_of_an_erased_person_the_entry_is_left(trail):
    trail.keep(trail.told(UserRegistered, personal=trail.personal))
    trail.hear(trail.told(UserLoggedIn, personal=trail.personal))
    with trail.db.transaction() as tx:
        tx.exec_driver_sql("DELETE FROM personal_data")
        tx.exec_driver_sql("DELETE FROM user_names")
    (entry,) = trail.read()["results"]
    assert (entry["actor"]["username"], entry["ip"], entry["user_id"]) == (None, None, USER)


def pages(trail, **filters):
    found, after = [], None
    while True:
        page = trail.read(after=after, limit=4, **filters)
        found += page["results"]
        after = page["next"]
        assert page["has_more"] is (after is not None)
        if after is None:
            return found


def test_entries_come_newest_first_page_by_page_whatever_the_filters(history):
    everything = history.read(limit=100)["results"]
    assert len(everything) == 30
    assert [entry["id"] for entry in everything] == sorted((entry["id"] for entry in everything), reverse=True)
    actions, users = (None, "TRADE_CREATED", "USER_LOGIN", "NEVER"), (None, USER, new_id())
    subjects = (None, "thing 2", "thing 7")
    for action, user_id, subject_id in itertools.product(actions, users, subjects):
        filters = {"action": action, "user_id": user_id, "subject_id": subject_id}
        wanted = {name: value for name, value in filters.items() if value is not None}
        found = pages(history, **filters)
        expected = [entry for entry in everything if all(entry[name] == value for name, value in wanted.items())]
        assert [entry for entry in found if entry["action"] != "AUDIT_READ"] == expected


def test_every_page_that_is_read_is_an_entry_with_the_filters_in_it(history):
    before = history.count("entries")
    page = history.read(action="USER_LOGIN", user_id=USER, limit=3)
    history.read(action="USER_LOGIN", user_id=USER, limit=3, after=page["next"])
    assert history.count("entries") == before + 2
    later, earlier = history.read(action="AUDIT_READ")["results"]
    assert (earlier["result"], earlier["subject_type"], earlier["subject_id"]) == ("success", "audit", "entries")
    assert (earlier["actor"]["user_id"], earlier["ip"]) == (history.staff.user_id, history.staff.ip)
    filters = {"action": "USER_LOGIN", "user_id": USER}
    assert earlier["metadata"] == {"filters": filters, "before": None, "shown": 3}
    assert later["metadata"] == {"filters": filters, "before": page["results"][-1]["id"], "shown": 2}
    assert later["correlation_id"] != ""


def test_nothing_is_shown_when_the_reading_cannot_be_recorded(history):
    caller = dataclasses.replace(history.staff, correlation_id="\x00")
    before = history.count("entries")
    with pytest.raises(ValueError, match="NUL"):
        history.read(caller)
    assert history.count("entries") == before


@pytest.mark.parametrize(
    ("caller", "error"),
    [
        (Context(kind="user", user_id=USER), Forbidden),
        (Context(), Unauthorized),
        (Context(kind="system"), Unauthorized),
    ],
    ids=["user", "nobody", "system"],
)
def test_only_staff_read(history, caller, error):
    before = history.count("entries")
    with pytest.raises(error):
        history.read(caller)
    assert history.count("entries") == before


def test_a_cursor_is_good_for_its_filters_and_reader_only(history):
    cursor = history.read(limit=1)["next"]
    other = dataclasses.replace(history.staff, user_id=OTHER)
    for ask in (
        lambda: history.read(other, after=cursor),
        lambda: history.read(action="USER_LOGIN", after=cursor),
        lambda: history.read(after=cursor[:-4] + "AAAA"),
        lambda: history.read(after="nonsense"),
    ):
        with pytest.raises(ValidationFailed) as refused:
            ask()
        assert refused.value.errors[0]["field"] == "after"


@pytest.fixture
def big(trail):
    """Statistics as of a large table, so that plans are those of a large table."""
    trail.tamper(
        "INSERT INTO entries (id, event_id, action, description, user_id, actor_role, actor_kind, subject_type,"
        " subject_id, result, correlation_id, occurred_at, created_at, metadata) SELECT gen_random_uuid(),"
        " gen_random_uuid(), CASE WHEN n %% 500 = 0 THEN 'USER_LOGIN' ELSE 'TRADE_CREATED' END, '',"
        " CASE WHEN n %% 2 = 0 THEN %s::uuid ELSE gen_random_uuid() END, 'user', 'user', 'trade',"
        " 'thing ' || n / 3, 'success', '', now(), now(), '{}' FROM generate_series(1, 20000) AS n",
        USER,
    )
    trail.tamper("INSERT INTO personal_data SELECT id, user_id, sha256(''), '{}' FROM entries")
    trail.tamper("INSERT INTO user_names SELECT gen_random_uuid(), 'n' FROM generate_series(1, 3000)")
    for table in ("entries", "personal_data", "user_names"):
        trail.rows(f"ANALYZE {table}")
    return trail


def rows_read(plan):
    """Rows that the scans of a plan went over."""
    own = plan.get("Actual Rows", 0) + plan.get("Rows Removed by Filter", 0) if "Scan" in plan["Node Type"] else 0
    return own * plan["Actual Loops"] + sum(rows_read(inner) for inner in plan.get("Plans", []))


def test_no_list_reads_more_than_a_fraction_of_a_large_table(big):
    statements = []

    def note(connection, cursor, statement, parameters, *_):
        if "FROM entries" in statement:
            statements.append(cursor.mogrify(statement, parameters).decode())

    event.listen(big.db.engine, "before_cursor_execute", note)
    try:
        for action, user_id, subject_id in itertools.product(
            (None, "TRADE_CREATED", "USER_LOGIN", "NEVER"), (None, USER, new_id()), (None, "thing 7", "thing")
        ):
            page = big.read(action=action, user_id=user_id, subject_id=subject_id, limit=5)
            if page["next"]:
                big.read(action=action, user_id=user_id, subject_id=subject_id, limit=5, after=page["next"])
    finally:
        event.remove(big.db.engine, "before_cursor_execute", note)
    assert len(statements) > 36
    for statement in statements:
        plan = big.one("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + statement.replace("%", "%%"))[0][0]["Plan"]
        assert "Seq Scan" not in str(plan), statement
        assert rows_read(plan) < 400, (statement, plan)
