"""A deposit is refused or completed, by staff, and never both."""

from __future__ import annotations

from functools import partial

import pytest

from billing import queries
from shared.chassis.context import Context
from shared.contracts import schema
from shared.contracts.billing.errors import TransactionNotFound, TransactionNotPending
from shared.contracts.billing.events import DepositFailed
from shared.contracts.errors import Forbidden, IdempotencyMismatch, Unauthorized
from shared.utils.ids import new_id


def test_failing_keeps_the_reason_and_moves_nothing(books, trader, ask, fail, staff):
    line = ask()["transaction"]
    answer = fail(line["id"])
    failed = {**line, "status": "FAILED", "metadata": {"reason": "no such wire"}}
    assert answer == {"transaction": failed, "replayed": False}
    assert fail(line["id"], "another reason") == answer
    assert books.money(trader) == (0, 0)
    (told,) = books.told("deposit_failed")
    assert schema.load(DepositFailed, told.data).reason == "no such wire"
    assert (told.subject, told.subject_version, told.actor.user_id) == (line["id"], 2, staff.user_id)


def test_without_a_reason_the_owner_reads_that_nothing_arrived(books, ask, fail):
    answer = fail(ask()["transaction"]["id"], None)
    assert answer["transaction"]["metadata"]["reason"] == books.told("deposit_failed")[0].data["reason"]


def test_what_ended_one_way_does_not_end_the_other(books, trader, ask, complete, fail):
    completed, failed = ask()["transaction"]["id"], ask()["transaction"]["id"]
    complete(completed)
    fail(failed)
    for call, status in ((partial(fail, completed), "COMPLETED"), (partial(complete, failed), "FAILED")):
        with pytest.raises(TransactionNotPending) as refused:
            call()
        assert refused.value.extra == {"transaction_status": status}
    assert books.money(trader) == (50_000, 0)


def test_completing_and_failing_at_once_agree_on_one_end(books, trader, ask, complete, fail, at_once):
    lines = [ask("1.00")["transaction"]["id"] for _ in range(15)]
    answers = at_once(*[call for line in lines for call in (partial(complete, line), partial(fail, line))])
    for completed, failed in zip(answers[::2], answers[1::2], strict=True):
        assert (completed, failed).count("transaction_not_pending") == 1
    won = sum(isinstance(answer, dict) for answer in answers[::2])
    assert books.money(trader) == (100 * won, 0)


def test_what_is_no_deposit_to_a_real_account_is_not_found(books, complete, fail):
    demo = books.trader()
    trade_id = new_id()
    books.hold(demo, 1039, trade_id)
    books.settle(books.settled(demo, trade_id))
    lines = [row[0] for row in books.rows("SELECT id::text FROM transactions")]
    assert len(lines) == 4
    for line, call in ((line, call) for line in (*lines, new_id()) for call in (complete, fail)):
        with pytest.raises(TransactionNotFound):
            call(line)


def test_only_staff_decide(trader, ask, complete, fail):
    line = ask()["transaction"]["id"]
    for call in (complete, fail):
        with pytest.raises(Forbidden):
            call(line, caller=trader.context)
        with pytest.raises(Unauthorized):
            call(line, caller=Context(kind="system"))


@pytest.mark.parametrize("end", ["complete", "fail"])
def test_a_key_of_staff_belongs_to_one_request(books, ask, end, request, staff, keyed):
    call = request.getfixturevalue(end)
    line, other = ask()["transaction"]["id"], ask()["transaction"]["id"]
    first = call(line, caller=keyed(staff, "one"))
    assert call(line, caller=keyed(staff, "one")) == {**first, "replayed": True}
    with pytest.raises(IdempotencyMismatch):
        call(other, caller=keyed(staff, "two"))
    with books.db.read() as tx:
        assert queries.find_transaction(tx, other)["status"] == "PENDING"


def test_a_key_is_not_kept_by_a_refusal(ask, complete, fail, staff, keyed):
    line, other = ask()["transaction"]["id"], ask()["transaction"]["id"]
    fail(line)
    with pytest.raises(TransactionNotPending):
        complete(line, caller=keyed(staff, "one"))
    assert complete(other, caller=keyed(staff, "two"))["replayed"] is False
