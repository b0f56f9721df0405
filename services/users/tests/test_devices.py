"""What a log-in tells of its device, and a failure of the lock that it brought."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from shared.contracts.errors import ServiceError
from shared.utils.time import to_rfc3339


def told_new(people: Any) -> list[bool]:
    return [told["data"]["new_device"] for told in people.events("user_logged_in")]


def test_the_first_device_is_nothing_new_and_each_further_one_is_once(people: Any) -> None:
    people.register("ada")
    people.register("bob")
    for agent in ("phone", "phone", "laptop", "phone", "laptop", None, None, "a" * 5000, "a" * 5000):
        people.log_in("ada", agent=agent)
    people.log_in("bob", agent="laptop")
    assert told_new(people) == [False, False, True, False, False, True, False, True, False, False]


def test_of_many_at_once_on_a_new_device_one_is_the_first(people: Any) -> None:
    people.register()
    people.log_in()
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda _: people.log_in(agent="laptop"), range(10)))
    assert told_new(people).count(True) == 1


def test_it_is_found_through_an_index(people: Any) -> None:
    people.register()
    people.log_in()
    people.rows(
        "WITH made AS (INSERT INTO sessions (id, user_id, salt, token_hash, rotated_at, created_at, expires_at,"
        " access_until) SELECT uuidv7(), user_id, salt, token_hash, now(), now(), now(), now() FROM sessions,"
        " generate_series(1, 3000) RETURNING id, user_id),"
        " seen AS (INSERT INTO session_origins SELECT id, user_id, 'x', 'agent', now() FROM made) SELECT 1 FROM made"
    )
    with people.admin.cursor() as cursor:
        cursor.execute("ANALYZE session_origins")
    for agent in ("= 'laptop'", "IS NULL"):
        plan = people.rows(
            "EXPLAIN SELECT FROM session_origins WHERE user_id = (SELECT id FROM users)"
            f" AND left(user_agent, 512) {agent}"
        )
        assert "session_origins_device" in str(plan)
        assert "left(user_agent, 512)" in str(plan).replace('"left"', "left").partition("Filter")[0]


def test_the_failure_that_locks_says_until_when(people: Any) -> None:
    people.register()
    for _ in range(4):
        with pytest.raises(ServiceError):
            people.log_in(password="wrong password")
    until = to_rfc3339(people.now + timedelta(seconds=10))
    told = [(told["data"]["reason"], told["data"]["locked_until"]) for told in people.events("user_login_failed")]
    assert told == [("wrong_password", None), ("wrong_password", None), ("wrong_password", until), ("locked", None)]
    with pytest.raises(ServiceError):
        people.log_in("nobody", "wrong password")
    assert people.events("user_login_failed")[-1]["data"]["locked_until"] is None
