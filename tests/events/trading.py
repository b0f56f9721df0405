"""What people do on a trading day: they open contracts of all kinds, sell, deposit; staff close and void."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from shared.utils.time import from_rfc3339
from tests.events.day import STAFF, Log

PASSWORD: Final = "a long enough password"
SYMBOLS: Final = ("R_10", "R_50", "R_100", "1HZ25V", "1HZ100V")
_SECONDS: Final = 86_400
_DURATIONS: Final = (("t", 1, 10), ("s", 15, 600), ("m", 1, 60), ("h", 1, 3))
_ROUNDS: Final = 200
"""Of sweeps and deliveries, on a full day."""


@dataclass(frozen=True)
class _Open:
    id: str
    user_id: str
    payout: str
    ends_at: datetime


@dataclass
class Trading:
    """The same for the same seed, until so many trades are open or were."""

    log: Log
    seed: int
    trades: int
    accounts: list[tuple[str, str]] = field(default_factory=list)
    opened: list[_Open] = field(default_factory=list)

    def day(self) -> None:
        """From the first registration to the last settlement."""
        self._random = random.Random(self.seed)
        self._people()
        pause = max(10, self.trades // _ROUNDS)
        while len(self.opened) < self.trades:
            self.log.go(self._random.expovariate(self.trades / _SECONDS))
            self._one()
            if len(self.log.entries) - self._since > pause:
                self._round()
        for seconds in (10, 3 * 3600, 60):
            self.log.go(seconds)
            self._round()
        self._round()

    def _people(self) -> None:
        log, codes = self.log, []
        for name, markup in (("ann", "2"), ("bob", "1.25"), ("cid", "3"), ("dan", "0")):
            user = self._register(name)
            log.deliver()
            log.call("commission", "set_rule", STAFF, owner_id=user["id"], referral_percent="10", markup_percent=markup)
            codes.append(user["affiliate_code"])
        for number in range(30):
            user_id = self._register(f"trader{number}", codes[number % 5] if number % 5 < 4 else None)["id"]
            demo = log.call("billing", "open_demo_account", user_id)
            real = log.call("billing", "sync_real_account", user_id, deriv_account_id=f"CR{number}", currency="USD")
            ids = [answer["account"]["id"] for answer in (demo, real)]
            self.accounts += [(user_id, id_) for id_ in ids]
            self._deposit(user_id, ids[1], "2000.00")
        self._round()

    def _register(self, name: str, code: str | None = None) -> Any:
        person = {"username": name, "email": f"{name}@example.org", "password": PASSWORD, "referral_code": code}
        return self.log.call("users", "register", None, **person)["user"]

    def _one(self) -> None:
        dice = self._random.random()
        if dice < 0.06:
            self._sell()
        elif dice < 0.08:
            self._close()
        elif dice < 0.11:
            self._void()
        elif dice < 0.12:
            user_id, account_id = self._random.choice(self.accounts[1::2])
            self._deposit(user_id, account_id, f"{self._random.randint(100, 900)}.{self._random.randint(0, 99):02}")
        self._open()

    def _round(self) -> None:
        for method in ("prepare_market", "reject_stale", "settle_due"):
            self.log.sweep("trades", method)
        self.log.deliver()
        self._since = len(self.log.entries)

    def _open(self) -> None:
        chance = self._random
        user_id, account_id = chance.choice(self.accounts)
        unit, least, most = chance.choice(_DURATIONS)
        asked: dict[str, Any] = {
            "account_id": account_id,
            "symbol": chance.choice(SYMBOLS),
            "contract_type": chance.choice(("CALL", "PUT", "CALLE", "PUTE")),
            "duration": chance.randint(least, most),
            "duration_unit": unit,
            chance.choice(("stake", "stake", "payout")): f"{chance.randint(2, 20)}.{chance.randint(0, 99):02}",
        }
        if asked["contract_type"] in ("CALL", "PUT") and chance.random() < 0.4:
            asked["barrier"] = f"{chance.choice('+-')}0.{chance.randint(1, 99):02}"
        answer = self.log.call("trades", "open_trade", user_id, **asked)
        if answer is not None:
            trade = answer["trade"]
            ends_at = from_rfc3339(trade["expires_at"])
            self.opened.append(_Open(trade["id"], user_id, trade["potential_payout"], ends_at))

    def _deposit(self, user_id: str, account_id: str, amount: str) -> None:
        asked = {"account_id": account_id, "amount": amount, "reference": f"wire {len(self.log.entries)}"}
        made = self.log.call("billing", "request_deposit", user_id, **asked)
        self.log.call("billing", "complete_deposit", STAFF, transaction_id=made["transaction"]["id"])

    def _sell(self) -> None:
        if trade := self._running():
            self.log.call("trades", "sell_trade", trade.user_id, trade_id=trade.id)

    def _close(self) -> None:
        if trade := self._running():
            payout = self._random.choice(("0", "1.25", trade.payout))
            self.log.call("trades", "close_trade", STAFF, trade_id=trade.id, payout=payout)

    def _void(self) -> None:
        """One that is running, or any of the last ones: many are settled, and paid for."""
        trade = self._running() if self._random.random() < 0.5 else self._random.choice(self.opened[-200:] or [None])
        if trade:
            self.log.call("trades", "void_trade", STAFF, trade_id=trade.id, reason="the feed was wrong")

    def _running(self) -> _Open | None:
        soon = self.log.now + timedelta(seconds=20)
        running = [trade for trade in self.opened[-300:] if trade.ends_at > soon]
        return self._random.choice(running) if running else None
