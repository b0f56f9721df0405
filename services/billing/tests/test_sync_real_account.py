"""Real accounts: one per Deriv account, the trader's own or one that staff name, and always one default."""

from __future__ import annotations

import dataclasses
from functools import partial

import pytest

from billing import copies
from billing.commands.sync_real_account import sync_real_account
from billing.service import may_sync_unlinked
from shared.chassis.context import Context, Idempotency, use
from shared.contracts import schema
from shared.contracts.billing.errors import AccountConflict
from shared.contracts.billing.events import AccountOpened, AccountUpdated
from shared.contracts.errors import Forbidden, IdempotencyMismatch, NotReady, Unauthorized
from shared.contracts.users.events import UserRegistered
from shared.settings.env import EnvConfig
from shared.utils.ids import new_id
from shared.utils.time import get_utc_now

STAFF = Context(kind="staff", user_id=new_id())
NOTHING = {"currency": "USD", "metadata": None, "is_default": None, "user_id": None, "allow_unlinked": True}


@pytest.fixture
def user():
    return Context(kind="user", user_id=new_id())


@pytest.fixture
def sync(books, user):
    def call(deriv_account_id="CR1", caller=user, **asked):
        with use(caller):
            return sync_real_account(
                books.db, caller, deriv_account_id=deriv_account_id, now=get_utc_now(), **{**NOTHING, **asked}
            )

    return call


def heard(books, user_id, *, is_frozen=False):
    """A copy of the user arrives."""
    data = dataclasses.replace(UserRegistered.example(), user_id=user_id, is_frozen=is_frozen)
    copies.keep_users(books.db, [books.received(data, user_id)])


def defaults(books, user):
    """Deriv account ids, with whether they are the default."""
    query = "SELECT deriv_account_id, is_default FROM accounts WHERE user_id = %s ORDER BY deriv_account_id"
    return books.rows(query, user.user_id)


def test_the_first_one_opens_empty_as_the_default(books, sync, user):
    answer = sync(metadata={"landing_company": "svg"})
    account = answer["account"]
    assert answer["created"] is True
    assert (account["account_type"], account["currency"], account["user_id"]) == ("REAL", "USD", user.user_id)
    assert (account["deriv_account_id"], account["balance"], account["available"]) == ("CR1", "0.00", "0.00")
    assert (account["is_default"], account["metadata"]) == (True, {"landing_company": "svg"})
    assert books.rows("SELECT id FROM ledger_tx") == []
    (opened,) = books.told("account_opened")
    assert schema.load(AccountOpened, opened.data).deriv_account_id == "CR1"
    assert (opened.subject, opened.subject_version, opened.actor.user_id) == (account["id"], 1, user.user_id)


def test_again_it_is_the_same_account_and_nothing_is_told(books, sync):
    first, again = sync(metadata={"a": 1}), sync()
    assert again == {"account": first["account"], "created": False}
    assert len(books.told("account_opened")) == 1
    assert books.told("account_updated") == []


def test_fifty_at_once_are_one_account(books, sync, at_once):
    answers = at_once(*[sync] * 50)
    assert [answer["created"] for answer in answers].count(True) == 1
    assert len({answer["account"]["id"] for answer in answers}) == 1
    assert len(books.told("account_opened")) == 1


def test_of_fifty_people_with_one_id_one_gets_it(books, sync, at_once):
    people = [Context(kind="user", user_id=new_id()) for _ in range(50)]
    answers = at_once(*[partial(sync, caller=person) for person in people])
    assert answers.count("account_conflict") == 49
    assert books.one("SELECT count(*) FROM accounts") == (1,)


def test_metadata_are_replaced_and_are_no_term(books, sync):
    first = sync(metadata={"a": 1, "b": {"c": [2]}})["account"]
    changed = sync(metadata={"b": 3})["account"]
    assert changed["metadata"] == {"b": 3}
    assert changed["updated_at"] > first["updated_at"]
    assert sync(metadata={"b": 3})["account"]["updated_at"] == changed["updated_at"]
    assert books.told("account_updated") == []
    assert books.one("SELECT terms_version FROM accounts") == (1,)


def test_the_default_moves_and_both_accounts_tell(books, sync, user):
    demo = books.trader(user_id=user.user_id)
    first, second = sync("CR1")["account"], sync("CR2")["account"]
    assert (first["is_default"], second["is_default"]) == (False, False)
    assert sync("CR2", is_default=True)["account"]["is_default"] is True
    told = [(e.subject, e.subject_version, e.data["before"], e.data["after"]) for e in books.told("account_updated")]
    assert told == [
        (demo.account_id, 2, {"is_default": True}, {"is_default": False}),
        (second["id"], 2, {"is_default": False}, {"is_default": True}),
    ]
    assert schema.load(AccountUpdated, books.told("account_updated")[0].data).changed == ["is_default"]
    sync("CR2", is_default=True)
    assert len(books.told("account_updated")) == 2


def test_a_new_account_may_be_the_default_from_the_first(books, sync, user):
    sync("CR1")
    answer = sync("CR2", is_default=True)
    assert (answer["created"], answer["account"]["is_default"]) == (True, True)
    assert defaults(books, user) == [("CR1", False), ("CR2", True)]
    assert [event.data["is_default"] for event in books.told("account_opened")] == [True, True]
    assert [event.data["after"] for event in books.told("account_updated")] == [{"is_default": False}]


def test_false_leaves_the_default_where_it_is(books, sync, user):
    for _ in range(2):
        assert sync("CR1", is_default=False)["account"]["is_default"] is True
    sync("CR2", is_default=False)
    assert defaults(books, user) == [("CR1", True), ("CR2", False)]
    assert books.told("account_updated") == []


def test_one_of_many_that_want_the_default_at_once_has_it(books, sync, user, at_once):
    calls = [partial(sync, f"CR{number}", is_default=True) for number in range(10)]
    assert all(isinstance(answer, dict) for answer in at_once(*calls, *calls))
    assert [is_default for _, is_default in defaults(books, user)].count(True) == 1


@pytest.mark.parametrize("caller", [STAFF, Context(kind="user", user_id=new_id())])
def test_somebody_elses_id_is_a_conflict_that_changes_nothing(books, sync, user, caller):
    sync(metadata={"a": 1})
    other = sync("CR2", caller=caller)["account"]["id"]
    before = books.rows("SELECT * FROM accounts ORDER BY id")
    with pytest.raises(AccountConflict):
        sync(caller=caller, metadata={"a": 2}, is_default=True)
    assert books.rows("SELECT * FROM accounts ORDER BY id") == before
    assert books.one("SELECT is_default FROM accounts WHERE id = %s", other) == (True,)


def test_another_currency_is_a_conflict_that_changes_nothing(books, sync):
    sync(metadata={"a": 1})
    with pytest.raises(AccountConflict):
        sync(currency="EUR", metadata={"a": 2})
    assert books.rows("SELECT currency, metadata FROM accounts") == [("USD", {"a": 1})]


def test_a_trader_names_his_own_only_where_that_is_allowed(books, sync, user):
    with pytest.raises(Forbidden):
        sync(allow_unlinked=False)
    with pytest.raises(Forbidden):
        sync(user_id=new_id())
    assert sync(user_id=user.user_id)["created"] is True
    assert sync("CR2", caller=STAFF, allow_unlinked=False)["created"] is True
    for kind in ("anonymous", "system"):
        with pytest.raises(Unauthorized):
            sync(caller=Context(kind=kind))


@pytest.mark.parametrize(
    ("settings", "allowed"),
    [
        ({}, True),
        ({"NEXUS_ENV": "test"}, True),
        ({"NEXUS_ENV": "prod"}, False),
        ({"NEXUS_ENV": "prod", "ALLOW_UNLINKED_REAL": "true"}, True),
        ({"NEXUS_ENV": "dev", "ALLOW_UNLINKED_REAL": "0"}, False),
    ],
)
def test_by_default_it_is_not_allowed_in_production(settings, allowed):
    assert may_sync_unlinked(EnvConfig(settings, dotenv=None)) is allowed


def test_staff_name_whose_it_is_once_he_has_been_heard_of(books, sync, user):
    with pytest.raises(NotReady):
        sync(caller=STAFF, user_id=user.user_id)
    heard(books, user.user_id)
    assert sync(caller=STAFF, user_id=user.user_id)["account"]["user_id"] == user.user_id


def test_a_frozen_user_gets_no_account_and_keeps_what_he_has(books, sync, user):
    sync(metadata={"a": 1})
    heard(books, user.user_id, is_frozen=True)
    for caller in (user, STAFF):
        for id_ in ("CR1", "CR2"):
            with pytest.raises(Forbidden):
                sync(id_, caller=caller, user_id=user.user_id, metadata={"a": 2})
    assert books.rows("SELECT deriv_account_id, metadata FROM accounts") == [("CR1", {"a": 1})]


def test_a_key_that_was_used_gives_the_present_state_and_changes_nothing(books, sync, user):
    def keyed(request_hash):
        return dataclasses.replace(user, idempotency=Idempotency("a-key-of-16-chars", "/accounts/real", request_hash))

    first = sync(caller=keyed("one"), metadata={"a": 1})
    sync(metadata={"a": 2})
    again = sync(caller=keyed("one"), metadata={"a": 1})
    assert (again["created"], again["account"]["metadata"]) == (False, {"a": 2})
    assert again["account"]["id"] == first["account"]["id"]
    with pytest.raises(IdempotencyMismatch):
        sync("CR2", caller=keyed("two"))


def test_one_key_for_many_accounts_at_once_opens_only_one(books, sync, user, at_once):
    callers = [
        (id_, dataclasses.replace(user, idempotency=Idempotency("a-key-of-16-chars", "/accounts/real", id_)))
        for id_ in ("CR1", "CR2", "CR3", "CR4")
    ]
    answers = at_once(*[partial(sync, id_, caller) for id_, caller in callers])
    assert answers.count("idempotency_mismatch") == 3
    assert len(books.rows("SELECT id FROM accounts")) == 1
