"""What the database refuses, whoever asks for it with the service's own role."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from notifications.models import STAFF

# insufficient_privilege (also what the triggers raise), unique_violation, check_violation
REFUSALS = ("42501", "23505", "23514")
INSERT = "INSERT INTO notifications (id, user_id, number, kind, fact, event_id, title, body, level, data, created_at)"
ALL = "FROM notifications"
FORBIDDEN = [
    "DELETE FROM notifications",
    "TRUNCATE notifications",
    "DELETE FROM counters",
    "UPDATE notifications SET number = number + 5",
    "UPDATE notifications SET fact = 'another'",
    "UPDATE notifications SET kind = 'another'",
    "UPDATE notifications SET user_id = gen_random_uuid()",
    "UPDATE notifications SET level = 'error'",
    "UPDATE notifications SET title = 'another'",
    "UPDATE notifications SET body = ''",
    "UPDATE notifications SET data = '{}'",
    "UPDATE notifications SET deleted_at = now()",
    "UPDATE notifications SET deleted_at = now(), title = '', body = '', data = '{\"a\": 1}'",
    "UPDATE notifications SET deleted_at = NULL",
    "UPDATE notifications SET is_read = false, read_at = NULL",
    "UPDATE notifications SET is_read = true, read_at = NULL",
    "UPDATE counters SET last_number = last_number - 1",
    "UPDATE counters SET unread = last_number + 1",
    "UPDATE counters SET unread = -1",
    "UPDATE counters SET recipient_id = gen_random_uuid()",
    f"{INSERT} SELECT gen_random_uuid(), user_id, 9, kind, fact, event_id, 'T', '', level, '{{}}', now() {ALL}",
    f"{INSERT} SELECT gen_random_uuid(), user_id, number, kind, 'o', event_id, 'T', '', level, '{{}}', now() {ALL}",
    f"{INSERT} VALUES (gen_random_uuid(), '{STAFF}', 1, 'created', 'x', NULL, 'T', '', 'info', '{{}}', now())",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_it_is_refused(board, statement):
    person = board.person()
    unread, read, deleted = board.told(person, 3)
    board.read(person, read)
    board.delete(person, deleted)
    before = board.rows("SELECT * FROM notifications ORDER BY number"), board.rows("SELECT * FROM counters")
    with pytest.raises(DBAPIError) as refused, board.db.transaction() as tx:
        tx.execute(text(statement))
    assert refused.value.orig.pgcode in REFUSALS
    assert before == (board.rows("SELECT * FROM notifications ORDER BY number"), board.rows("SELECT * FROM counters"))
    assert board.get(person, unread)["is_read"] is False
