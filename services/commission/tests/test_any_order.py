"""However often and in whatever order events arrive, everybody ends the same."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.contracts.errors import NotReady
from shared.utils.ids import new_id

GIVEN = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)


@pytest.fixture
def history(office):
    """What happened once: rules that changed between deposits, and trades of every kind, some voided; and its end."""

    def make():
        office.empty()
        owner, stranger, payers = new_id(), new_id(), [new_id() for _ in range(3)]
        people = [office.registered(user_id, owner) for user_id in payers] + [office.registered(stranger)]
        office.hear(office.registered(owner))
        deposits = [office.deposit(payers[0]), office.deposit(stranger)]
        office.go(seconds=1)
        office.set_rule(owner, "5")
        office.go(seconds=1)
        deposits += [office.deposit(payers[1]), office.deposit(payers[1], first_real=False)]
        office.go(seconds=1)
        office.set_rule(owner, "50")
        office.go(seconds=1)
        deposits.append(office.deposit(payers[2]))
        trades = []
        for number, terms in enumerate(
            ({}, {}, {}, {"account_type": "DEMO"}, {"affiliate_id": None}, {"markup": 0}, {"markup": 10**15})
        ):
            parties = {"trade_id": new_id(), "user_id": payers[number % 3], "affiliate_id": owner, **terms}
            trades.append(office.settled(**parties))
            if number % 2:
                trades.append(office.cancelled(**parties))
        open_ = office.cancelled(settled=False)
        return [*people, *deposits, *trades, open_]

    return make


def hear_until_known(office, batches):
    """As the chassis does: a batch that fails is repeated one by one, and what is early comes again later."""
    late = []
    for batch in batches:
        try:
            office.hear(*batch)
        except NotReady:
            for event in batch:
                try:
                    office.hear(event)
                except NotReady:
                    late.append([event])
    if late:
        assert len(late) < sum(map(len, batches))
        hear_until_known(office, late)


def end(office):
    """What is in the tables and was told, without ids that are made on the way."""
    return {
        "decisions": office.rows(
            "SELECT subject_kind, subject_id::text, user_id::text, owner_id::text, currency, amount, due, outcome,"
            " reason, occurred_at FROM decisions ORDER BY 2"
        ),
        "awards": office.rows(
            "SELECT reference::text, owner_id::text, user_id::text, amount, kind, sign, commission_rule_id::text,"
            " rule_version, metadata FROM awards ORDER BY 1, 4"
        ),
        "copies": office.rows("SELECT user_id::text, referrer_id::text, version FROM user_copies ORDER BY 1"),
        "told": Counter(
            (type_, one.subject_version, one.data.get("trade_id") or one.data.get("deposit_id"), one.data["amount"])
            for type_ in ("commission_accrued", "commission_reversed", "referral_commission_accrued")
            for one in office.told(type_)
        ),
    }


@given(data=st.data())
@GIVEN
def test_any_order_and_repetition_ends_the_same(office, history, data):
    events = history()
    hear_until_known(office, [[event] for event in events])
    expected = end(office)
    for table in ("decisions", "awards", "outbox", "user_names"):
        office.past_guards(f"DELETE FROM {table}")
    office.rows("DELETE FROM user_copies WHERE user_id NOT IN (SELECT owner_id FROM rules)")

    again = data.draw(st.lists(st.sampled_from(range(len(events))), max_size=15), label="again")
    order = data.draw(st.permutations([*range(len(events)), *again]), label="order")
    cuts = sorted(data.draw(st.sets(st.integers(1, len(order) - 1), max_size=8), label="cuts"))
    batches = [
        [events[number] for number in order[start:stop]]
        for start, stop in zip([0, *cuts], [*cuts, len(order)], strict=True)
    ]
    hear_until_known(office, batches)
    assert end(office) == expected
    assert office.violations() == {}
    assert max(expected["told"].values()) == 1
    # What was awarded of markups and not taken back is what REAL trades with an affiliate were charged.
    voided = {event.data.trade_id for event in events if getattr(event.data, "status", None) == "CANCELLED"}
    charged = sum(
        event.data.markup
        for event in events
        if getattr(event.data, "account_type", None) == "REAL"
        and getattr(event.data, "affiliate_id", None)
        and event.data.trade_id not in voided
    )
    assert office.one("SELECT sum(amount) FROM awards WHERE kind = 'MARKUP'")[0] == charged
