"""Poisoned bodies get a 4xx and hurt nobody."""

from __future__ import annotations

import pytest

from client.http import Http
from tests.flows.driver import Trader

ACCOUNT = "01920000-0000-7000-8000-000000000011"

POISON = {
    "typed object": b'{"account_id": {"__type__": "uuid", "__value__": "x"}, "symbol": "R_100"}',
    "bogus type": b'{"stake": {"__type__": "bogus", "__value__": 1}}',
    "nan": b'{"stake": NaN}',
    "infinity": b'{"stake": -Infinity}',
    "overflow": b'{"stake": 1e999}',
    "duplicate keys": b'{"stake": "1.00", "stake": "2.00"}',
    "two thousand levels": b"[" * 2000 + b"]" * 2000,
    "two thousand objects": b'{"a":' * 2000 + b"1" + b"}" * 2000,
    "not utf-8": b'{"symbol": "\xff\xfe"}',
    "lone surrogate": b'{"symbol": "\\ud800"}',
    "nul": b'{"symbol": "R\\u0000"}',
    "trailing data": b"{} {}",
    "array at the root": b"[]",
    "empty": b"",
    "huge": b'{"symbol": "' + b"a" * 200_000 + b'"}',
}


@pytest.mark.parametrize("path", ["/trades", "/trades/quotes", "/auth/token", "/auth/register", "/accounts/demo"])
def test_a_poisoned_body_is_refused_and_the_gateway_lives(path: str, trader: Trader, http: Http) -> None:
    for name, body in POISON.items():
        if name == "empty" and path == "/accounts/demo":
            continue
        headers = {**trader.headers, "Content-Type": "application/json", "Idempotency-Key": "poison-" + "k" * 16}
        answer = http.send("POST", path, body, headers)
        assert 400 <= answer.status < 500, (path, name, answer)
        assert answer.headers["content-type"].startswith("application/problem+json"), (path, name, answer)
    assert http.get("/health/live").status == 200
    assert trader.account()["available"] == "10000.00"
