"""One entry per fact, whatever comes twice and in whatever order; what is personal stands apart, secrets nowhere."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event as on

from audit.rules import MEANINGS
from shared.contracts.audit.rpc import RESULTS
from shared.contracts.billing.events import DepositCompleted, TransactionRecorded
from shared.contracts.commission.events import CommissionAccrued
from shared.contracts.envelope import EVENTS, Actor, Envelope
from shared.contracts.referrals.events import ReferralRegistered
from shared.contracts.trades.events import TradeCancelled, TradeOpened, TradeSettled
from shared.contracts.users.events import UserLoggedIn, UserLoginFailed, UserRegistered
from shared.devstack.registry import plan
from shared.utils.ids import new_id

plan()  # imports every owner's events
HEARD = sorted((cls for cls in EVENTS.values() if "audit" in cls.readers), key=lambda cls: cls.type)

ACTIONS = {
    "user_registered": ("USER_REGISTERED", "user"),
    "user_updated": ("USER_UPDATED", "user"),
    "user_logged_in": ("USER_LOGIN", "session"),
    "user_login_failed": ("USER_LOGIN_FAILED", "user"),
    "session_revoked": ("SESSION_REVOKED", "session"),
    "account_opened": ("ACCOUNT_OPENED", "account"),
    "account_updated": ("ACCOUNT_UPDATED", "account"),
    "transaction_recorded": ("TRANSACTION_RECORDED", "ledger_transaction"),
    "deposit_requested": ("DEPOSIT_REQUESTED", "transaction"),
    "deposit_completed": ("DEPOSIT", "transaction"),
    "deposit_failed": ("DEPOSIT_FAILED", "transaction"),
    "trade_opened": ("TRADE_CREATED", "trade"),
    "trade_settled": ("TRADE_CLOSED", "trade"),
    "trade_cancelled": ("TRADE_CANCELLED", "trade"),
    "limits_changed": ("LIMITS_CHANGED", "account"),
    "trading_halted": ("TRADING_HALTED", "halt"),
    "trading_resumed": ("TRADING_RESUMED", "halt"),
    "commission_accrued": ("COMMISSION_AWARDED", "award"),
    "referral_commission_accrued": ("COMMISSION_AWARDED", "award"),
    "commission_reversed": ("COMMISSION_REVERSED", "award"),
    "commission_rule_changed": ("COMMISSION_RULE_CHANGED", "rule"),
    "referral_registered": ("REFERRAL_REGISTERED", "referral"),
    "referral_code_changed": ("REFERRAL_CODE_CHANGED", "code"),
}


def test_every_event_that_audit_hears_has_a_meaning():
    assert set(MEANINGS) == {cls.type for cls in HEARD}


@pytest.mark.parametrize("cls", HEARD, ids=lambda cls: cls.type)
def test_an_event_is_one_entry_that_says_who_what_on_what_and_when(trail, cls):
    event = trail.told(cls, personal=trail.personal)
    trail.hear(event, event)
    trail.hear(event)
    envelope = event.envelope
    row = trail.one(
        "SELECT event_id::text, action, subject_type, subject_id, result, actor_user_id::text, actor_role, actor_kind,"
        " correlation_id, causation_id, metadata, to_char(occurred_at, 'HH24:MI:SS.US') FROM entries"
    )
    assert row == (
        *(envelope.id, *ACTIONS[cls.type], envelope.subject),
        "failure" if cls.type in ("user_login_failed", "deposit_failed") else "success",
        *(envelope.actor.user_id, "user", "user", envelope.correlation_id, envelope.causation_id),
        *(envelope.data, "09:59:59.125000"),
    )
    assert {row[4]} <= set(RESULTS)
    assert (trail.count("entries"), trail.count("archive"), trail.count("personal_data")) == (1, 1, 1)


@pytest.mark.parametrize("cls", HEARD, ids=lambda cls: cls.type)
def test_an_event_can_be_sent_again_exactly_as_it_was(trail, cls):
    event = trail.told(cls, personal=trail.personal)
    trail.hear(event, trail.told(cls))
    kept, personal = trail.one(
        "SELECT a.envelope, p.personal FROM archive AS a JOIN entries AS e USING (event_id)"
        " JOIN personal_data AS p ON p.entry_id = e.id WHERE event_id = %s",
        event.id,
    )
    assert Envelope.from_json({**json.loads(kept), "personal": personal}) == event.envelope


@pytest.mark.parametrize("cls", HEARD, ids=lambda cls: cls.type)
def test_nothing_personal_or_secret_is_in_what_stays(trail, cls):
    trail.hear(trail.told(cls, personal=trail.personal, secret={"token": "the secret word"}))
    for table in ("entries", "archive", "unsealed"):
        text = str(trail.rows(f"SELECT t::text FROM {table} AS t"))
        assert not any(word in text for word in ("the secret word", "token", *trail.personal.values())), table
    assert "the secret word" not in str(trail.rows("SELECT t::text FROM personal_data AS t"))
    assert set(json.loads(trail.one("SELECT envelope FROM archive")[0])) & {"personal", "secret"} == set()


def test_the_hash_of_personal_data_needs_its_salt(trail):
    trail.hear(trail.told(UserLoggedIn, personal=trail.personal), trail.told(UserLoggedIn, personal=trail.personal))
    rows = trail.rows(
        "SELECT e.personal_hash, p.salt, p.personal::text FROM entries e JOIN personal_data p ON e.id = entry_id"
    )
    (one, salt, text), (two, other_salt, _) = rows
    assert bytes(one) == hashlib.sha256(bytes(salt) + text.encode()).digest()
    assert bytes(one) != bytes(two)
    assert bytes(salt) != bytes(other_salt)


@pytest.mark.parametrize(
    ("data", "user_id"),
    [
        (TradeOpened.example(), TradeOpened.example().user_id),
        (CommissionAccrued.example(), CommissionAccrued.example().owner_id),
        (ReferralRegistered.example(), ReferralRegistered.example().owner_id),
        (UserLoginFailed(user_id=None, reason="unknown_user"), None),
        (TransactionRecorded.example(), TransactionRecorded.example().lines[0].user_id),
        (dataclasses.replace(TransactionRecorded.example(), lines=[]), None),
        (
            dataclasses.replace(
                TransactionRecorded.example(),
                lines=[
                    TransactionRecorded.example().lines[0],
                    dataclasses.replace(
                        TransactionRecorded.example().lines[0], user_id=UserRegistered.example().referrer_id
                    ),
                ],
            ),
            None,
        ),
    ],
    ids=["trade", "award", "referral", "nobody", "lines of one", "no lines", "lines of two"],
)
def test_an_entry_is_about_the_one_user_concerned(trail, data, user_id):
    trail.hear(trail.told(data))
    assert trail.one("SELECT user_id::text FROM entries") == (user_id,)


def test_a_description_shows_amounts_as_people_write_them(trail):
    trail.hear(
        trail.told(DepositCompleted), trail.told(dataclasses.replace(TradeOpened.example(), stake=5, currency="BTC"))
    )
    assert {row[0] for row in trail.rows("SELECT description FROM entries")} == {
        "Deposit of 500.00 USD completed",
        "CALL on R_100 opened for 0.00000005 BTC",
    }


def test_a_contract_that_wins_on_a_tie_is_called_by_its_name(trail):
    trail.hear(trail.told(dataclasses.replace(TradeOpened.example(), wins_ties=True)))
    assert trail.rows("SELECT description FROM entries") == [("CALLE on R_100 opened for 10.00 USD",)]


def test_fields_that_this_build_does_not_know_are_archived_too(trail):
    event = trail.told(TradeOpened)
    later = dataclasses.replace(event.envelope, data={**event.envelope.data, "mood": {"a": [1, 2.50]}})
    trail.hear(dataclasses.replace(event, envelope=later))
    assert trail.one("SELECT metadata ->> 'mood' FROM entries") == ('{"a": [1, 2.5]}',)
    assert json.loads(trail.one("SELECT envelope FROM archive")[0])["data"]["mood"] == {"a": [1, 2.50]}


def test_state_that_is_sent_again_is_no_news(trail):
    trail.hear(trail.told(UserRegistered, republished=True), trail.told(TradeOpened, republished=True))
    assert (trail.count("entries"), trail.count("archive"), trail.count("unsealed")) == (0, 0, 0)


def test_an_event_of_nobody_is_recorded_as_such(trail):
    trail.hear(trail.told(UserLoginFailed, actor=Actor(role="anonymous", kind="anonymous"), causation_id=None))
    assert trail.one("SELECT actor_user_id, actor_role, actor_kind, causation_id FROM entries") == (
        *(None, "anonymous", "anonymous"),
        None,
    )


def test_what_another_batch_says_later_under_the_same_id_changes_nothing(trail):
    event = trail.told(TradeOpened, personal=trail.personal)
    trail.hear(event)
    before = trail.rows("SELECT t::text FROM entries AS t UNION ALL SELECT t::text FROM archive AS t")
    forged = trail.told(dataclasses.replace(TradeOpened.example(), stake=1), id=event.id, personal={"ip": "10.0.0.1"})
    trail.hear(forged, trail.told(TradeSettled, id=event.id))
    assert trail.rows("SELECT t::text FROM entries AS t UNION ALL SELECT t::text FROM archive AS t") == before
    assert trail.one("SELECT personal ->> 'ip' FROM personal_data") == (trail.personal["ip"],)


def test_a_batch_of_a_hundred_is_one_statement(trail):
    statements = []
    on.listen(trail.db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    trail.hear(*(trail.told(TradeSettled, personal=trail.personal) for _ in range(100)))
    assert [text.split()[0] for text in statements] == ["BEGIN;", "WITH", "COMMIT"]
    assert trail.count("entries") == trail.count("archive") == trail.count("personal_data") == 100


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32),
    trades=st.lists(
        st.sets(st.sampled_from([TradeOpened, TradeSettled, TradeCancelled]), min_size=1), min_size=1, max_size=4
    ),
)
def test_any_order_with_duplicates_and_seals_in_between_ends_the_same(trail, seed, trades):
    words = {TradeOpened: "opened", TradeSettled: "settled", TradeCancelled: "cancelled"}
    ids = [new_id() for _ in trades]
    arriving = [
        trail.told(cls, subject=trade_id) for trade_id, kinds in zip(ids, trades, strict=True) for cls in kinds
    ] * 2
    chance = random.Random(seed)
    chance.shuffle(arriving)
    while arriving:
        size = chance.randint(1, 4)
        batch, arriving = arriving[:size], arriving[size:]
        trail.hear(*batch)
        if chance.random() < 0.3:
            trail.seal()
    facts = trail.facts("audited_trade")
    assert [facts[trade_id] for trade_id in ids] == ["+".join(sorted(words[cls] for cls in kinds)) for kinds in trades]
    assert trail.rows("SELECT event_id FROM entries GROUP BY event_id HAVING count(*) > 1") == []
