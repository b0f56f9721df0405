"""One long day of the business: all that can happen to users, codes, rules, accounts, deposits and trades.

Nobody has heard of it when it is over, but for what had to be heard so that somebody could spend it: a win, an award.
"""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

from shared.chassis.context import Context
from shared.contracts.billing.errors import InsufficientFunds
from shared.contracts.users.errors import InvalidCredentials
from tests.events.business import PASSWORD, Business, by, staff

TRADES: Final = 510
WAVES: Final = 3
_SYMBOLS: Final = ("R_50", "R_100", "1HZ100V")
_DAY: Final = 86_400


@dataclass(frozen=True)
class Account:
    """What somebody trades on."""

    user_id: str
    id: str


@dataclass
class History:
    """Makes the day: the same for the same seed, but for ids and prices."""

    business: Business
    seed: int = 1
    affiliates: dict[str, str] = field(default_factory=dict)
    traders: list[str] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)
    trades: list[dict[str, Any]] = field(default_factory=list)

    def make(self) -> None:
        """Everything."""
        self._random = random.Random(self.seed)
        with self.business.open():
            self._people()
            self._accounts()
            self._who_spends_a_win()
            self._who_spends_an_award()
            for change in (self._first_changes, self._second_changes, self._last_changes):
                self._trade(TRADES // WAVES)
                change()
            self._results()
            self._logins()

    def _people(self) -> None:
        """Affiliates with all kinds of rules, or none, and traders who came by all kinds of codes, or none."""
        business, call = self.business, self.business.world.call
        for name in ("ann", "bob", "cid", "dan", "eve"):
            self.affiliates[name] = business.register(name)
        ann, bob, cid, dan, eve = self.affiliates.values()
        fay = self.affiliates["fay"] = business.register("fay", business.codes[ann])
        rules = ((ann, "10", "2"), (bob, "0", "1"), (dan, "20", "3"), (eve, "8.25", "2.15"), (fay, "12", "2.5"))
        for owner, referral, markup in rules:
            business.rule(owner, referral, markup)
        business.change(cid, markup_percentage=Decimal("1.25"))
        self.code = call("referrals", "generate_code", ctx=by(ann), code="ANN-VIP", max_uses=3)["code"]
        call("referrals", "change_code", ctx=staff(), code_id=self.code["id"], markup_percent="0.75")
        call("referrals", "generate_code", ctx=by(bob), code="BOB-CLUB")
        codes = [business.codes[owner] for owner in self.affiliates.values()]
        self.traders = [business.register(f"early{n}", code) for n, code in enumerate([*codes, None])]
        # Whoever has not been heard of by now has his claim given back.
        business.go(700)
        business.world.sweep("referrals", "return_claims")
        self.traders += [business.register(f"later{n}", code) for n, code in enumerate([*codes, "ann-vip", "BOB-CLUB"])]
        lost = {"code_id": self.code["id"], "code": self.code["code"], "owner_id": ann}
        self.traders += [fay, *(business.write(f"unclaimed{n}", lost) for n in range(4))]

    def _accounts(self) -> None:
        """A DEMO and a REAL one each, with deposits that are completed, failed or still waiting."""
        business = self.business
        # Whether who stays frozen is given one for an award depends on which is heard of first, so that she has one.
        for name in ("ann", "eve"):
            business.real(self.affiliates[name])
        for number, user_id in enumerate(self.traders):
            ids = [business.demo(user_id), business.real(user_id, is_default=True if number % 3 == 0 else None)]
            self.accounts += [Account(user_id, id_) for id_ in ids]
            if number % 4 == 0:
                business.deposit(user_id, ids[1], "33.30", end="fail_deposit")
            business.deposit(user_id, ids[1], f"{500 + number}.{number:02}")
            business.deposit(user_id, ids[1], "75.00", end="complete_deposit" if number % 2 else None)
        euro = Account(self.traders[0], business.real(self.traders[0], "EUR"))
        business.deposit(euro.user_id, euro.id, "400.00")
        self.accounts.append(euro)

    def _who_spends_a_win(self) -> None:
        """He wins, loses it all in the next trade, and then the first one is voided: he owes."""
        business = self.business
        ivy = business.register("ivy")
        account = business.real(ivy)
        business.deposit(ivy, account, "20.00")
        business.inform("trades")
        won = business.trade(ivy, account, "10.00")
        business.close(won, won["potential_payout"])
        business.hear("billing", "trade_settled", won["id"])
        business.close(business.trade(ivy, account, "28.00"), "0")
        business.void(won)

    def _who_spends_an_award(self) -> None:
        """His affiliate loses the markup of a trade in one of his own, and then the trade is voided: he owes."""
        business = self.business
        gus = self.affiliates["gus"] = business.register("gus")
        business.rule(gus, "5", "3")
        hal = business.register("hal", business.codes[gus])
        paying = Account(hal, business.real(hal))
        business.deposit(hal, paying.id, "2500.00")
        business.inform("trades")
        paid = business.trade(hal, paying.id, "1000.00")
        business.close(paid, "0")
        business.hear("commission", "trade_settled", paid["id"])
        business.hear("billing", "commission_accrued", paid["id"])
        opened = business.world.call("billing", "get_default_account", ctx=by(gus))
        business.inform("trades")
        business.close(business.trade(gus, opened["id"], "45.00"), "0")
        business.void(paid)
        self.accounts.append(paying)

    def _trade(self, count: int) -> None:
        self.business.inform("trades")
        for _ in range(count):
            account = self._random.choice(self.accounts)
            terms = {"symbol": self._random.choice(_SYMBOLS), "contract_type": self._random.choice(("CALL", "PUT"))}
            seconds = _DAY if self._random.random() < 0.02 else self._random.randint(10, 90)
            stake = f"{self._random.randint(1, 9)}.{self._random.randint(0, 99):02}"
            self.trades.append(self.business.trade(account.user_id, account.id, stake, seconds=seconds, **terms))
        poor = self.accounts[1]
        with suppress(InsufficientFunds):
            self.business.trade(poor.user_id, poor.id, "5000.00")

    def _change(self, percent: str | None) -> None:
        """Many get a markup of their own, as users (it is for those whom they refer) or for an account, or lose it."""
        business = self.business
        for user_id in self.traders[::2]:
            business.change(user_id, markup_percentage=None if percent is None else Decimal(percent))
        for account in self.accounts[3::5]:
            asked = {"account_id": account.id, "markup_percentage": percent}
            business.world.call("billing", "set_account_markup", ctx=staff(), **asked)

    def _first_changes(self) -> None:
        business, call = self.business, self.business.world.call
        self._change("2.75")
        business.rule(self.affiliates["ann"], "5", "1.5")
        call("referrals", "change_code", ctx=staff(), code_id=self.code["id"], markup_percent="1.10")
        business.change(self.affiliates["dan"], is_frozen=True)
        business.deposit(self.traders[0], self.accounts[1].id, "60.00")

    def _second_changes(self) -> None:
        business, call = self.business, self.business.world.call
        self._change(None)
        business.rule(self.affiliates["ann"], "7", "2.2")
        business.rule(self.affiliates["bob"], "1", "0")
        call("referrals", "change_code", ctx=by(self.affiliates["ann"]), code_id=self.code["id"], disabled=True)
        business.change(self.affiliates["dan"], is_frozen=False)
        business.change(self.affiliates["cid"], markup_percentage=Decimal("0.50"))
        business.real(self.traders[1], is_default=True)

    def _last_changes(self) -> None:
        business = self.business
        self._change("0.10")
        business.change(self.affiliates["eve"], is_frozen=True)
        business.change(self.traders[2], is_active=False)
        late = business.register("late", business.codes[self.affiliates["ann"]])
        business.deposit(late, business.real(late), "123.45")

    def _results(self) -> None:
        """Some are voided while they are open, some closed by staff, the others expire, and some of all are voided."""
        business, chosen = self.business, self._random.sample(self.trades, 100)
        for trade in chosen[:15]:
            business.void(trade)
        for trade, payout in zip(chosen[15:30], ("0", "1.25", "potential") * 5, strict=True):
            business.close(trade, trade["potential_payout"] if payout == "potential" else payout)
        business.go(600)
        business.world.sweep("trades", "settle_due")
        for trade in chosen[20:]:
            business.void(trade)

    def _logins(self) -> None:
        """From one device, from another one, and by somebody who does not know the password."""
        asked = Context(ip="192.0.2.7", user_agent="bot/1")
        for agent in ("bot/1", "bot/2"):
            who = {"username": "early0", "password": PASSWORD}
            self.business.world.call("users", "log_in", ctx=replace(asked, user_agent=agent), **who)
        with suppress(InvalidCredentials):
            self.business.world.call("users", "log_in", ctx=asked, username="early0", password="not the right one")
