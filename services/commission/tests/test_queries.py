"""What can be asked, by whom, and that long lists are read through an index."""

from __future__ import annotations

import itertools

import pytest

from commission import queries
from shared.chassis.context import Context
from shared.contracts.commission.errors import RuleNotFound
from shared.contracts.commission.rpc import CommissionView
from shared.contracts.errors import Forbidden, Unauthorized, ValidationFailed
from shared.utils.ids import new_id

STAFF = Context(kind="staff", user_id=new_id())


def as_user(user_id):
    return Context(kind="user", user_id=user_id)


def ids(page):
    return [view["id"] for view in page["results"]]


def pages(ask):
    """All results of a list, page by page."""
    found, after = [], None
    while True:
        page = ask(after)
        found += page["results"]
        after = page["next"]
        assert page["has_more"] == (after is not None)
        if after is None:
            return found


def test_a_rule_is_its_owners_and_staffs(office):
    owner, other = office.user(), office.user()
    rule = office.set_rule(owner)
    for caller in (as_user(owner), STAFF):
        assert queries.get_rule(office.db, caller, owner) == rule
    for caller, asked in ((as_user(other), owner), (as_user(other), other), (STAFF, other), (STAFF, new_id())):
        with pytest.raises(RuleNotFound):
            queries.get_rule(office.db, caller, asked)
    for kind in ("anonymous", "system"):
        with pytest.raises(Unauthorized):
            queries.get_rule(office.db, Context(kind=kind), owner)


@pytest.fixture
def earned(office):
    """Two owners; each earned from six trades of two traders (one of them voided) and one deposit."""
    owners = [office.user() for _ in range(2)]
    for owner in owners:
        office.set_rule(owner)
        payers = [office.user(owner) for _ in range(2)]
        trades = [office.settled(affiliate_id=owner, user_id=payers[number % 2]) for number in range(6)]
        office.hear(*trades, office.deposit(payers[0]))
        voided = trades[-1].data
        office.hear(office.cancelled(trade_id=voided.trade_id, affiliate_id=owner, user_id=voided.user_id))
    return owners


def test_what_one_earned_is_ones_own_list_and_staffs(office, earned):
    one, other = earned
    everything = office.listed(limit=100)["results"]
    assert len(everything) == 16
    assert set(everything[0]) == set(CommissionView.__annotations__)
    for owner in earned:
        mine = [view["id"] for view in everything if view["owner_id"] == owner]
        assert len(mine) == 8
        assert ids(office.listed(as_user(owner))) == mine
        assert ids(office.listed(as_user(owner), owner_id=owner)) == mine
        assert ids(office.listed(owner_id=owner)) == mine
    with pytest.raises(Forbidden):
        office.listed(as_user(one), owner_id=other)
    for kind in ("anonymous", "system"):
        with pytest.raises(Unauthorized):
            office.listed(Context(kind=kind))


def test_somebody_elses_earnings_do_not_show_by_payer_or_reference(office, earned):
    one, other = earned
    theirs = office.listed(owner_id=other)["results"][0]
    for caller in (as_user(one), as_user(theirs["user_id"])):
        assert ids(office.listed(caller, user_id=theirs["user_id"])) == []
        assert ids(office.listed(caller, reference=theirs["reference"])) == []


def test_the_newest_come_first_page_by_page_whatever_the_filter(office, earned):
    owner = earned[0]
    everything = office.listed(limit=100)["results"]
    assert [view["id"] for view in everything] == sorted((view["id"] for view in everything), reverse=True)
    payer = next(view["user_id"] for view in everything if view["owner_id"] == owner)
    voided = next(view["reference"] for view in everything if view["amount"].startswith("-"))
    choices = {
        "owner_id": (None, owner),
        "user_id": (None, payer),
        "kind": (None, "MARKUP", "REFERRAL"),
        "reference": (None, voided),
    }
    for values in itertools.product(*choices.values()):
        wanted = {name: value for name, value in zip(choices, values, strict=True) if value is not None}
        found = pages(lambda after, wanted=wanted: office.listed(after=after, limit=3, **wanted))
        assert found == [view for view in everything if all(view[name] == value for name, value in wanted.items())]
    assert [view["amount"] for view in office.listed(reference=voided)["results"]] == ["-0.39", "0.39"]


def test_a_cursor_is_good_for_its_list_filter_and_caller_only(office, earned):
    cursor = office.listed(as_user(earned[0]), limit=1)["next"]
    for ask in (
        lambda: office.listed(as_user(earned[1]), after=cursor),
        lambda: office.listed(as_user(earned[0]), after=cursor, kind="MARKUP"),
        lambda: office.listed(as_user(earned[0]), after=cursor[:-4] + "AAAA"),
        lambda: office.listed(as_user(earned[0]), after="nonsense"),
    ):
        with pytest.raises(ValidationFailed) as refused:
            ask()
        assert refused.value.errors[0]["field"] == "after"


@pytest.fixture
def big(office):
    """Statistics as of a large table, so that plans are those of a large table; an owner and a payer in it."""
    owner, other, payer = new_id(), new_id(), new_id()
    office.tamper(
        "INSERT INTO awards (id, commission_rule_id, rule_version, owner_id, user_id, amount, currency, kind, level,"
        " sign, reference, metadata, created_at) SELECT gen_random_uuid(), gen_random_uuid(), 1,"
        f" CASE WHEN n % 2 = 0 THEN '{owner}' ELSE '{other}' END::uuid,"
        f" CASE WHEN n % 4 = 0 THEN '{payer}'::uuid ELSE gen_random_uuid() END, 1, 'USD',"
        " CASE WHEN n % 100 = 0 THEN 'REFERRAL' ELSE 'MARKUP' END, 1, 1, gen_random_uuid(), '{}', now()"
        " FROM generate_series(1, 6000) AS n"
    )
    office.rows("ANALYZE awards")
    return owner, payer


def rows_read(plan):
    """Rows that the scans of a plan went over."""
    own = plan.get("Actual Rows", 0) + plan.get("Rows Removed by Filter", 0) if "Scan" in plan["Node Type"] else 0
    return own * plan["Actual Loops"] + sum(rows_read(inner) for inner in plan.get("Plans", []))


def test_no_list_reads_more_than_a_fraction_of_a_large_table(office, big, statements):
    owner, payer = big
    some = office.rows("SELECT reference::text FROM awards LIMIT 1")[0][0]
    with statements() as seen:
        for caller, user_id, kind, reference in itertools.product(
            (as_user(owner), STAFF), (None, payer), (None, "MARKUP", "REFERRAL"), (None, some)
        ):
            page = office.listed(caller, user_id=user_id, kind=kind, reference=reference, limit=5)
            if page["next"]:
                office.listed(caller, user_id=user_id, kind=kind, reference=reference, limit=5, after=page["next"])
    assert len(seen) > 30
    for statement in seen:
        plan = office.one("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + statement)[0][0]["Plan"]
        assert "Seq Scan" not in str(plan), statement
        assert rows_read(plan) < 400, (statement, plan)
