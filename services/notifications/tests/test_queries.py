"""Lists and counts: one's own, newest first, page by page, through an index."""

from __future__ import annotations

import itertools

import pytest

from shared.chassis.context import Context
from shared.contracts.errors import Unauthorized, ValidationFailed
from shared.utils.ids import new_id

STAFF = Context(kind="staff", user_id=new_id())


def pages(board, caller, **asked):
    """All results of a list, page by page."""
    found, after = [], None
    while True:
        page = board.list(caller, after=after, **asked)
        found += [one["id"] for one in page["results"]]
        after = page["next"]
        assert page["has_more"] == (after is not None)
        if after is None:
            return found


def test_the_newest_come_first_and_only_ones_own(board):
    person, other = board.person(), board.person()
    ids = board.told(person, 3)
    board.told(other)
    board.create()
    assert board.ids(person) == ids[::-1]


def test_unread_and_read_ones_are_lists_of_their_own(board):
    person = board.person()
    ids = board.told(person, 4)
    board.read(person, ids[1])
    board.read(person, ids[3])
    board.delete(person, ids[0])
    board.delete(person, ids[3])
    assert board.ids(person, unread=True) == [ids[2]]
    assert board.ids(person, unread=False) == [ids[1]]
    assert board.ids(person) == [ids[2], ids[1]]


def test_staff_see_their_own_and_what_is_told_to_all_of_staff_in_one_order(board):
    expected = []
    for _ in range(3):
        expected += [board.create()["id"], *board.told(STAFF)]
    board.read(STAFF, expected[0])
    assert board.ids(STAFF) == expected[::-1]
    assert board.ids(STAFF, unread=True) == expected[:0:-1]
    assert board.unread(STAFF) == 3


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_follow_each_other_without_gap_or_repeat(board, limit):
    ids = []
    for number in range(8):
        ids += board.told(STAFF) if number % 3 else [board.create()["id"]]
    for one in ids[::2]:
        board.read(STAFF, one)
    assert pages(board, STAFF, limit=limit) == ids[::-1]
    assert pages(board, STAFF, limit=limit, unread=False) == ids[::2][::-1]
    assert pages(board, STAFF, limit=limit, unread=True) == ids[1::2][::-1]


def test_what_comes_in_between_does_not_shift_the_pages(board):
    person = board.person()
    ids = board.told(person, 4)
    page = board.list(person, limit=2)
    board.told(person, 3)
    board.delete(person, ids[3])
    assert board.ids(person, limit=2, after=page["next"]) == ids[1::-1]


def test_a_cursor_is_good_for_its_own_list_alone(board):
    one, other = board.person(), board.person()
    board.told(one, 3)
    cursor = board.list(one, limit=1)["next"]
    for caller, asked in (
        (other, {"after": cursor}),
        (one, {"after": cursor, "unread": True}),
        (one, {"after": cursor[:-4] + "AAAA"}),
        (one, {"after": "nonsense"}),
    ):
        with pytest.raises(ValidationFailed) as refused:
            board.list(caller, **asked)
        assert refused.value.errors[0]["field"] == "after"


def test_whoever_was_never_told_anything_has_nothing_unread(board):
    person = board.person()
    assert (board.unread(person), board.ids(person), board.read_all(person)) == (0, [], 0)


def test_nobody_without_a_login_has_notifications(board):
    for caller in (Context(), Context(kind="system")):
        for ask in (board.list, board.unread, board.read_all, board.delete_all):
            with pytest.raises(Unauthorized):
                ask(caller)


@pytest.fixture
def big(board):
    """Somebody with a long history, nearly all of it read and much of it deleted, among many others."""
    person = board.person()
    board.tamper(
        "INSERT INTO notifications (id, user_id, number, kind, fact, event_id, title, body, level, data, is_read,"
        " read_at, deleted_at, created_at) SELECT gen_random_uuid(), u.id, n, 'trade_settled', concat(n, u.id),"
        " gen_random_uuid(), CASE WHEN n %% 2 = 0 THEN 'T' ELSE '' END, '', 'info', '{}', n %% 100 > 0,"
        " CASE WHEN n %% 100 > 0 THEN now() END, CASE WHEN n %% 2 = 1 THEN now() END, now()"
        " FROM generate_series(1, 4000) AS n, unnest(ARRAY[%s::uuid, %s::uuid, gen_random_uuid(), NULL]) AS u (id)",
        person.user_id,
        STAFF.user_id,
    )
    board.tamper(
        "INSERT INTO counters SELECT recipient_id, count(*), count(*) FILTER (WHERE NOT is_read)"
        " FROM notifications GROUP BY recipient_id UNION ALL SELECT gen_random_uuid(), 0, 0"
        " FROM generate_series(1, 100000)"
    )
    board.rows("ANALYZE notifications")
    board.rows("ANALYZE counters")
    return person


def rows_read(plan):
    """Rows that the scans of a plan went over."""
    own = plan.get("Actual Rows", 0) + plan.get("Rows Removed by Filter", 0) if "Scan" in plan["Node Type"] else 0
    return own * plan["Actual Loops"] + sum(rows_read(inner) for inner in plan.get("Plans", []))


def test_no_question_reads_more_than_a_fraction_of_a_large_table(board, big):
    with board.statements() as sent:
        for caller, unread in itertools.product((big, STAFF), (None, True, False)):
            page = board.list(caller, unread=unread, limit=5)
            board.list(caller, unread=unread, limit=5, after=page["next"])
        board.unread(big)
        board.get(big, board.ids(big)[0])
        board.notify(*(board.settled(new_id()) for _ in range(100)))
    asked = [one for one in sent if one.startswith(("SELECT", "WITH"))]
    assert len(asked) == 16
    for statement in asked:
        board.rows("BEGIN")
        try:
            (explained,) = board.one("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + statement)
        finally:
            board.rows("ROLLBACK")
        assert "Seq Scan" not in str(explained), statement[:200]
        assert rows_read(explained[0]["Plan"]) < 900, statement[:200]
