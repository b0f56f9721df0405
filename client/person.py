"""Somebody who uses the API: registers, logs in, and does what people of his kind do."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from client.http import Answer, Http, Unexpected

ENDED = frozenset({"WON", "LOST", "CLOSED", "CANCELLED"})
# Access tokens live an hour.
_TOKEN_SECONDS = 2400.0


def new_key() -> str:
    """A fresh idempotency key."""
    return uuid.uuid4().hex


@dataclass
class Person:
    """Whoever is logged in; every call repeats until its answer is final, and raises Unexpected for a refusal."""

    http: Http
    username: str
    password: str
    user_id: str = ""
    affiliate_code: str = ""
    _access: str = field(default="", repr=False)
    _since: float = 0.0

    @classmethod
    def register(cls, http: Http, *, name: str, referral_code: str | None = None) -> Person:
        """A new user, logged in; `name` is the beginning of his username."""
        username = f"{name}{uuid.uuid4().hex[:10]}"
        person = cls(http, username, f"pw-{uuid.uuid4().hex}")
        body = {"username": username, "email": f"{username}@example.org", "password": person.password}
        if referral_code is not None:
            body["referral_code"] = referral_code
        made = person.must("POST", "/auth/register", body, {"Idempotency-Key": new_key()})
        person.user_id, person.affiliate_code = made["id"], made["affiliate_code"]
        person.log_in()
        return person

    def log_in(self) -> None:
        """A fresh access token."""
        tokens = self.must("POST", "/auth/token", {"username": self.username, "password": self.password}, {})
        self._access, self._since = tokens["access"], time.monotonic()
        if not self.user_id:
            self.user_id = self.get("/users/me")["id"]

    @property
    def headers(self) -> dict[str, str]:
        """What proves who asks."""
        if time.monotonic() - self._since > _TOKEN_SECONDS:
            self.log_in()
        return {"Authorization": f"Bearer {self._access}"}

    def must(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        """The body of a final 2xx answer. Raises Unexpected, NoAnswer."""
        answer = self.http.until_final(method, path, body, headers)
        if answer.status >= 300:
            raise Unexpected(method, path, answer)
        return answer.body

    def get(self, path: str) -> Any:
        """What is there."""
        return self.must("GET", path, None, self.headers)

    def do(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """Changes something, once however often it has to be repeated."""
        return self.must(method, path, body, {**self.headers, "Idempotency-Key": key or new_key()})

    def all(self, path: str) -> Iterator[dict[str, Any]]:
        """Every item of a list, page after page."""
        joint, after = "&" if "?" in path else "?", ""
        while True:
            page = self.get(f"{path}{joint}limit=100{after}")
            yield from page["results"]
            if not page["has_more"]:
                return
            after = f"&after={page['next']}"

    # -- accounts and money

    def open_demo(self, currency: str = "USD") -> str:
        """The id of the demo account."""
        return str(self.do("POST", "/accounts/demo", {"currency": currency})["id"])

    def open_real(self, currency: str = "USD") -> str:
        """The id of a new real account."""
        deriv = f"CR{uuid.uuid4().int % 10**12}"
        return str(self.do("POST", "/accounts/real", {"deriv_account_id": deriv, "currency": currency})["id"])

    def account(self, account_id: str) -> dict[str, Any]:
        """The account as it is now."""
        found: dict[str, Any] = self.get(f"/accounts/{account_id}")
        return found

    def deposit(self, account_id: str, amount: str, key: str | None = None) -> str:
        """The id of a PENDING deposit."""
        body = {"account_id": account_id, "amount": amount}
        return str(self.do("POST", "/transactions/deposits", body, key=key)["id"])

    # -- trades

    def terms(
        self, account_id: str, side: str = "CALL", *, stake: str = "10.00", seconds: int = 1, symbol: str = "1HZ100V"
    ) -> dict[str, Any]:
        """What is to be bought."""
        return {
            "account_id": account_id,
            "symbol": symbol,
            "contract_type": side,
            "stake": stake,
            "duration_seconds": seconds,
        }

    def open(self, terms: dict[str, Any], key: str | None = None) -> dict[str, Any]:
        """The open trade."""
        found: dict[str, Any] = self.do("POST", "/trades", terms, key=key)
        return found

    def try_open(self, terms: dict[str, Any], key: str) -> Answer:
        """One try, whatever comes of it. Raises NoAnswer."""
        return self.http.post("/trades", terms, {**self.headers, "Idempotency-Key": key})

    def trade(self, trade_id: str) -> dict[str, Any]:
        """The trade as it is now."""
        found: dict[str, Any] = self.get(f"/trades/{trade_id}")
        return found
