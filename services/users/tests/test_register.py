"""Registering: what is refused by name, and what is told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared.chassis.context import Idempotency
from shared.contracts.errors import IdempotencyMismatch, ValidationFailed
from users.commands.create_staff import create_staff

KEY = Idempotency("a-key-of-sixteen-or-more", "POST /auth/register", "hash")


def refused_fields(people: Any, **fields: Any) -> dict[str, str]:
    with pytest.raises(ValidationFailed) as raised:
        people.answer(**fields)
    return {error["field"]: error["code"] for error in raised.value.errors}


def test_a_user_is_made_and_told_of_once(people: Any) -> None:
    user = people.register("ada", email="Ada@Example.ORG")
    assert (user["username"], user["email"], user["is_staff"], user["is_active"]) == (
        "ada",
        "Ada@example.org",
        False,
        True,
    )
    assert user["affiliate_code"].startswith("ADA")
    assert user["referred_by"] is None
    (told,) = people.events("user_registered")
    assert told["subject"] == told["data"]["user_id"] == user["id"]
    assert told["data"]["affiliate_code"] == user["affiliate_code"]
    assert told["personal"] == {"username": "ada", "email": "Ada@example.org", "first_name": "", "last_name": ""}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "username"),
        ({"name": "a b"}, "username"),
        ({"name": "ädä"}, "username"),
        ({"name": "a" * 151}, "username"),
        ({"name": "a\n"}, "username"),
        ({"email": "nobody"}, "email"),
        ({"email": "a@b"}, "email"),
        ({"email": "a@-b.org"}, "email"),
        ({"email": "a b@c.org"}, "email"),
        ({"email": "a@b.org\nBcc: c@d.org"}, "email"),
        ({"password": "short"}, "password"),
        ({"password": "x" * 129}, "password"),
        ({"password": "password123"}, "password"),
        ({"password": "zzzzzzzzzz"}, "password"),
        ({"name": "adalovelace", "password": "AdaLovelace"}, "password"),
    ],
)
def test_a_bad_field_is_named_and_nothing_is_made(people: Any, fields: dict[str, Any], field: str) -> None:
    assert set(refused_fields(people, **{"email": "ada@example.org", **fields})) == {field}
    assert people.rows("SELECT count(*) FROM users") == [(0,)]
    assert people.events("user_registered") == []


def test_names_and_addresses_are_taken_in_any_case(people: Any) -> None:
    people.register("ada", email="ada@example.org")
    assert refused_fields(people, name="ADA", email="other@example.org") == {"username": "taken"}
    assert refused_fields(people, name="bob", email="ADA@EXAMPLE.ORG") == {"email": "taken"}


def test_nobody_takes_somebodys_address_as_his_name(people: Any) -> None:
    people.register("ada", email="ada@example.org")
    assert refused_fields(people, name="Ada@example.org", email="x@example.org") == {"username": "taken"}


def test_the_same_key_gives_the_same_user(people: Any) -> None:
    first = people.answer(key=KEY)
    again = people.answer(key=KEY)
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert again["user"] == first["user"]
    assert len(people.events("user_registered")) == 1
    with pytest.raises(IdempotencyMismatch):
        people.answer(key=Idempotency(KEY.key, KEY.route, "other"))


def test_many_at_once_make_one_user_of_a_name(people: Any) -> None:
    def attempt(number: int) -> str:
        try:
            people.register("ada", email=f"ada{number}@example.org")
        except ValidationFailed as error:
            return error.errors[0]["field"]
        return "made"

    with ThreadPoolExecutor(5) as pool:
        outcomes = list(pool.map(attempt, range(20)))
    assert sorted(set(outcomes)) == ["made", "username"]
    assert outcomes.count("made") == 1
    assert people.rows("SELECT count(*) FROM users") == [(1,)]


def test_many_with_one_key_make_one_user(people: Any) -> None:
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: people.answer(key=KEY), range(10)))
    assert len({answer["user"]["id"] for answer in answers}) == 1
    assert sum(not answer["replayed"] for answer in answers) == 1


def test_the_password_is_nowhere_in_the_clear(people: Any) -> None:
    people.register(password="a most secret sentence")
    everything = str(people.rows("SELECT * FROM users")) + str(people.rows("SELECT * FROM outbox"))
    assert "most secret" not in everything
    assert "$argon2id$" in everything


def test_staff_are_made_by_command(people: Any) -> None:
    create_staff(people.db, username="root", email="root@example.org", password="a long password", now=people.now)
    assert people.events("user_registered")[0]["data"]["is_staff"] is True
    with pytest.raises(ValidationFailed):
        create_staff(people.db, username="Root", email="r@example.org", password="a long password", now=people.now)
