"""Drives a stack as its users do: over HTTP, and with the launcher's verbs."""

from __future__ import annotations

import json
import subprocess
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from client.http import Answer, Http


@dataclass
class Trader:
    """A person with a demo account."""

    http: Http
    user_id: str
    headers: dict[str, str]
    account_id: str
    name: str = field(default="")

    @classmethod
    def register(cls, http: Http) -> Trader:
        name = f"t{uuid.uuid4().hex[:16]}"
        password = f"pw-{uuid.uuid4().hex}"
        made = http.post("/auth/register", {"username": name, "email": f"{name}@example.org", "password": password})
        assert made.status == 201, made
        tokens = http.post("/auth/token", {"username": name, "password": password})
        assert tokens.status == 200, tokens
        headers = {"Authorization": f"Bearer {tokens.body['access']}"}
        account = http.post("/accounts/demo", {}, headers)
        assert account.status == 201, account
        return cls(http, made.body["id"], headers, account.body["id"], name)

    def account(self) -> dict[str, Any]:
        answer = self.http.get(f"/accounts/{self.account_id}", self.headers)
        assert answer.status == 200, answer
        body: dict[str, Any] = answer.body
        return body

    def terms(
        self, stake: str = "10.00", seconds: int = 1, symbol: str = "1HZ100V", side: str = "CALL"
    ) -> dict[str, Any]:
        return {
            "account_id": self.account_id,
            "symbol": symbol,
            "contract_type": side,
            "stake": stake,
            "duration_seconds": seconds,
        }

    def open(self, terms: dict[str, Any], key: str | None = None) -> Answer:
        return self.http.post("/trades", terms, {**self.headers, "Idempotency-Key": key or uuid.uuid4().hex})

    def trade(self, trade_id: str) -> dict[str, Any]:
        answer = self.http.get(f"/trades/{trade_id}", self.headers)
        assert answer.status == 200, answer
        body: dict[str, Any] = answer.body
        return body

    def settled(self, trade_id: str) -> bool:
        """The result is known and nothing is held any more."""
        if self.trade(trade_id)["status"] not in {"WON", "LOST", "CLOSED"}:
            return False
        account = self.account()
        return bool(account["balance"] == account["available"])

    def lines(self) -> list[dict[str, Any]]:
        """All statement lines of the account, newest first."""
        found: list[dict[str, Any]] = []
        after = ""
        while True:
            page = self.http.get(f"/transactions?account_id={self.account_id}&limit=100{after}", self.headers)
            assert page.status == 200, page
            found += page.body["results"]
            if not page.body["has_more"]:
                return found
            after = f"&after={page.body['next']}"


def total(lines: list[dict[str, Any]]) -> Decimal:
    return sum((Decimal(line["amount"]) for line in lines), Decimal(0))


@dataclass(frozen=True)
class Stack:
    """A stack under the launcher's control."""

    state: Path
    port: int
    manage: list[str]

    def verb(self, *arguments: str, timeout: float = 60) -> str:
        """Standard output of a launcher verb; fails the test with its error output when it fails."""
        done = subprocess.run(
            [*self.manage, arguments[0], "--state", str(self.state), *arguments[1:]],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.verb("status", "--json"))
        return found

    def verify(self, timeout: float = 120) -> dict[str, Any]:
        """`verify --json`, which must be clean."""
        found: dict[str, Any] = json.loads(self.verb("verify", "--json", timeout=timeout))
        return found
