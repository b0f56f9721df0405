from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import kombu
import pytest

POISON = [
    '{"args": [], "kwargs": {"note": NaN}}',
    '{"args": [], "kwargs": {"note": "x", "times": 1e999}}',
    '{"args": [], "kwargs": {"note": "x", "note": "y"}}',
    '{"args": [], "kwargs": {"note": ' + "[" * 2000 + "]" * 2000 + "}}",
    '{"args": [], "kwargs": {"note": "' + "x" * 300_000 + '"}}',
    '{"args": [], "kwargs": ',
    "\xff",
    "",
    "[]",
    '"text"',
    '{"args": []}',
    '{"args": [1], "kwargs": {}}',
    '{"args": {}, "kwargs": []}',
    '{"args": [], "kwargs": {"note": {"__type__": "decimal", "__value__": "NaN"}}}',
    '{"args": [], "kwargs": {"note": {"__type__": "bogus", "__value__": 1}}}',
]


class Answers:
    """A reply queue read by hand."""

    def __init__(self, url: str, eventually: Callable[..., Any]) -> None:
        self._eventually = eventually
        self.key = str(uuid4())
        self._connection = kombu.Connection(url)
        self._channel = self._connection.default_channel
        self._channel.queue_declare("by-hand", exclusive=True)
        self._channel.queue_bind("by-hand", "nameko-rpc", self.key)

    def next(self) -> dict[str, object]:
        message = self._eventually(lambda: self._channel.basic_get("by-hand", no_ack=True), timeout=5)
        return kombu.serialization.loads(message.body, "application/json", "utf-8", force=True)

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def answers(broker, eventually):
    answers = Answers(broker.url, eventually)
    yield answers
    answers.close()


def test_poisoned_calls_are_refused_and_the_service_lives_on(alpha, broker, caller, answers) -> None:
    for body in POISON:
        broker.publish("nameko-rpc", "alpha.echo", body, reply_to=answers.key)
        assert answers.next()["error"]["status"] in (400, 422), body
    for content_type in ("application/x-python-serialize", "application/data", "text/plain"):
        broker.publish("nameko-rpc", "alpha.echo", "x", reply_to=answers.key, content_type=content_type)
        assert answers.next()["error"]["status"] == 400
    assert caller.call("alpha", "echo", note="alive") == {"note": "alive"}
    assert alpha.terminate() == 0
    assert broker.depth("rpc-alpha") == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"nameko.deadline": "soon"},
        {"nameko.context": '{"kind": "god"}'},
        {"nameko.context": '{"roles": 7}'},
        {"nameko.context": 7},
        {"nameko.context": "{"},
        {"nameko.context": '{"user_id": 7}'},
        {"nameko.context": '{"idempotency": ["k"]}'},
    ],
)
def test_poisoned_headers_are_refused(alpha, broker, caller, answers, headers) -> None:
    broker.publish("nameko-rpc", "alpha.who", '{"args": [], "kwargs": {}}', reply_to=answers.key, headers=headers)
    assert answers.next()["error"]["code"] == "malformed_request"
    assert caller.call("alpha", "echo", note="alive")


def test_an_answer_goes_to_no_address_that_is_not_a_reply_queue(alpha, broker, caller) -> None:
    broker.api("POST", "/bindings/{v}/e/nameko-rpc/q/beta.parking", {"routing_key": "beta.withdraw"})
    for method in ("who", "no_such_method"):
        broker.publish("nameko-rpc", f"alpha.{method}", '{"args": [], "kwargs": {}}', reply_to="beta.withdraw")
    broker.publish("nameko-rpc", "alpha.echo", "not json", reply_to="beta.withdraw")
    assert caller.call("alpha", "echo", note="alive")
    assert alpha.terminate() == 0
    assert broker.depth("beta.parking") == 0
    assert broker.depth("rpc-alpha") == 0


def test_an_undecodable_message_is_parked_and_the_next_one_handled(alpha, broker, eventually) -> None:
    bad = ['{"n": NaN}', "{", '{"n": 1, "n": 2}', "[" * 2000 + "]" * 2000]
    for body in bad:
        broker.publish("", "alpha.events", body, delivery_mode=2)
    broker.publish("", "alpha.events", b"\x80\x04", content_type="application/x-python-serialize")
    broker.publish("", "alpha.events", '{"n": 1}', delivery_mode=2)
    eventually(lambda: alpha.journal == ["mark 1"])
    eventually(lambda: broker.depth("alpha.parking") == len(bad) + 1)
    parked = broker.get("alpha.parking")
    assert parked.headers["x-death"][0]["reason"] == "rejected"
