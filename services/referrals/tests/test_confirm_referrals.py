"""Users register: what users has written stands, whatever referrals has heard before, and is told once."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from referrals import copies
from referrals.rules import affiliate_code_id
from shared.contracts.users.events import UserUpdated
from shared.utils.ids import new_id


def test_an_affiliate_code_is_known_from_registration_on(desk: Any, person: Any) -> None:
    owner = person()
    desk.hear(owner.registered())
    desk.hear(owner.registered())
    (told,) = desk.told("referral_code_changed")
    assert (told["data"]["code"], told["data"]["owner_id"], told["data"]["before"]) == (owner.code, owner.id, {})
    assert desk.one("SELECT kind, uses FROM referral_codes") == ("affiliate", 0)


def test_a_registration_confirms_the_claim_and_is_told_once(desk: Any, person: Any) -> None:
    owner, new = desk.owner(), person()
    claim = desk.claim(new, owner.code)
    event = new.registered(claim)
    desk.hear(event, event)
    desk.hear(event)
    (told,) = desk.told("referral_registered")
    (id_,) = desk.one("SELECT id::text FROM referrals")
    assert told["subject"] == id_
    assert told["data"] == {
        "referral_id": id_,
        "code_id": claim["code_id"],
        "code": owner.code,
        "owner_id": owner.id,
        "referred_user_id": new.id,
    }
    assert (told["causation_id"], told["correlation_id"]) == (event.id, event.envelope.correlation_id)
    assert (desk.state(new), desk.uses(owner.code)) == ("CONFIRMED", 1)


def test_who_comes_after_his_claim_was_given_back_has_his_use_all_the_same(desk: Any, person: Any) -> None:
    owner, late, quick = desk.owner(), person(), person()
    code = desk.generate(owner, code="one-seat", max_uses=1)["code"]
    claim = desk.claim(late, code)
    desk.give_back(minutes=10)
    desk.hear(quick.registered(desk.claim(quick, code)))
    desk.hear(late.registered(claim))
    assert (desk.state(late), desk.state(quick), desk.uses(code)) == ("CONFIRMED", "CONFIRMED", 2)
    assert len(desk.told("referral_registered")) == 2
    assert desk.refusal(person(), code) == "used_up"


def test_who_was_never_claimed_for_is_written_with_the_code_of_the_event(desk: Any, person: Any) -> None:
    owner, first, second = person(), person(), person()
    affiliate = {"code_id": affiliate_code_id(owner.id), "code": owner.code, "owner_id": owner.id}
    further = {"code_id": new_id(), "code": "Summer-26", "owner_id": owner.id}
    desk.hear(second.registered(further), first.registered(affiliate))
    desk.hear(owner.registered())
    assert desk.rows("SELECT code, kind, uses FROM referral_codes WHERE owner_id = %s ORDER BY kind", owner.id) == [
        (owner.code, "affiliate", 1),
        ("Summer-26", "further", 1),
    ]
    assert len(desk.told("referral_registered")) == 2
    made = [told["data"]["code"] for told in desk.told("referral_code_changed")]
    assert sorted(made) == sorted([owner.code, "Summer-26", first.code, second.code])


def test_a_claim_of_another_code_gives_way_to_what_users_has_written(desk: Any, person: Any) -> None:
    owner, other, new = desk.owner(), desk.owner(), person()
    desk.claim(new, other.code)
    desk.hear(
        new.registered({"code_id": affiliate_code_id(owner.id), "code": owner.code, "owner_id": owner.id}),
    )
    assert (desk.uses(other.code), desk.uses(owner.code)) == (0, 1)


def test_an_empty_database_is_filled_from_present_state_and_nobody_is_told(desk: Any, person: Any) -> None:
    owner, new = person(), person()
    claim = {"code_id": affiliate_code_id(owner.id), "code": owner.code, "owner_id": owner.id}
    desk.hear(owner.registered(republished=True), new.registered(claim, republished=True))
    assert (desk.state(new), desk.uses(owner.code)) == ("CONFIRMED", 1)
    assert desk.rows("SELECT 1 FROM outbox") == []
    # The next one who comes by that code makes it news: trades must know its terms before he trades.
    desk.claim(person(), owner.code)
    assert [told["data"]["code"] for told in desk.told("referral_code_changed")] == [owner.code]


@pytest.mark.parametrize("together", [True, False])
def test_present_state_that_comes_first_does_not_swallow_the_news(desk: Any, person: Any, together: bool) -> None:
    owner, new = person(), person()
    claim = desk.claim(new, owner.code, owner.id)
    events = [owner.registered(republished=True), new.registered(claim, republished=True)]
    news = [owner.registered(), new.registered(claim)]
    for batch in [events + news] if together else [events, news]:
        desk.hear(*batch)
    desk.hear(*events, *news)
    assert len(desk.told("referral_registered")) == 1
    assert len(desk.told("referral_code_changed")) == 2


def test_who_comes_by_nobody_is_referred_by_nobody(desk: Any) -> None:
    desk.owner()
    assert desk.rows("SELECT 1 FROM referrals") == []
    assert desk.told("referral_registered") == []


def test_a_referrer_who_is_younger_is_refused_by_the_database(desk: Any, person: Any) -> None:
    older, owner = person(), desk.owner()
    claim = {"code_id": affiliate_code_id(owner.id), "code": owner.code, "owner_id": owner.id}
    with pytest.raises(DBAPIError, match="referrals_owner_older"):
        desk.hear(older.registered(claim))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE referrals SET state = 'RETURNED', confirmed_at = NULL",
        "UPDATE referrals SET commission_awarded = false",
        "DELETE FROM referrals",
        "DELETE FROM referral_codes",
        "UPDATE referral_codes SET uses = 0",
        "UPDATE referral_codes SET code = 'mine'",
    ],
)
def test_what_is_final_is_kept_by_the_database(desk: Any, person: Any, statement: str) -> None:
    owner, new = desk.owner(), person()
    desk.hear(new.registered(desk.claim(new, owner.code)))
    desk.award(new.awarded())
    with pytest.raises(Exception, match="refused: it stays as it is"):
        desk.rows(statement)


def test_copies_keep_the_newest_version_and_names_apart(desk: Any, person: Any, received: Any) -> None:
    someone = person()
    told = [
        received(UserUpdated.example().__class__(**{**vars(UserUpdated.example()), "user_id": someone.id}), **how)
        for how in (
            {"subject": someone.id, "version": 3, "name": "new"},
            {"subject": someone.id, "version": 2, "name": "old"},
        )
    ]
    for batch in (told, told[::-1], [someone.registered()]):
        with desk.db.transaction() as tx:
            copies.keep_users(tx, batch)
    assert desk.one("SELECT version FROM user_copies WHERE user_id = %s", someone.id) == (3,)
    assert desk.one("SELECT username FROM user_names WHERE user_id = %s", someone.id) == ("new",)
