"""The whole business in one story, over HTTP: an affiliate, two traders, staff, and where every cent went."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import Any

from client.http import Http
from client.person import ENDED, Person

_WAIT_SECONDS = 20.0
_ROUNDS = 12
CENT = Decimal("0.01")
REFERRAL_PERCENT, MARKUP_PERCENT = Decimal("10.00"), Decimal("2.00")
DEPOSITS = {"ben": Decimal("500.00"), "cleo": Decimal("200.00")}


class Stuck(Exception):
    """Something that had to happen did not, in time."""


@dataclass(frozen=True)
class Check:
    """One thing that has to add up."""

    name: str
    expected: str
    found: str

    @property
    def ok(self) -> bool:
        return self.expected == self.found


@dataclass
class Story:
    """Tells what happens as it happens, and keeps what has to be true at the end."""

    http: Http
    staff: Person
    tell: Callable[[str], None]
    checks: list[Check] = field(default_factory=list)
    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)
    accounts: dict[str, tuple[Person, str]] = field(default_factory=dict)
    trades: list[dict[str, Any]] = field(default_factory=list)

    def run(self) -> None:
        """The story from beginning to end. Raises Stuck, Unexpected, NoAnswer."""
        amara, ben, cleo = self._people()
        self._money(amara, ben, cleo)
        self.before = self._balances()
        self._win_and_lose(ben, "ben")
        self._win_and_lose(cleo, "cleo")
        voided = self._voids(cleo)
        self._add_up(amara, self._credits(amara), voided)
        self.after = self._balances()

    def report(self) -> dict[str, Any]:
        """For programs."""
        return {
            "before": self.before,
            "after": self.after,
            "trades": self.trades,
            "checks": [{**asdict(check), "ok": check.ok} for check in self.checks],
            "ok": bool(self.checks) and all(check.ok for check in self.checks),
        }

    # -- chapters

    def _people(self) -> tuple[Person, Person, Person]:
        amara = Person.register(self.http, name="amara")
        self.tell(f"Amara registers and gets the affiliate code {amara.affiliate_code}.")
        self.staff.do(
            "PUT",
            f"/commission/rules/{amara.user_id}",
            {"referral_percent": str(REFERRAL_PERCENT), "markup_percent": str(MARKUP_PERCENT)},
        )
        self.tell(f"Staff give her {REFERRAL_PERCENT} % of first deposits and a markup of {MARKUP_PERCENT} %.")
        code = amara.do("POST", "/referrals/codes", {"prefix": "SPRING", "max_uses": 10})["code"]
        self.tell(f"She makes a further code, {code}, for ten people.")
        ben = Person.register(self.http, name="ben", referral_code=amara.affiliate_code)
        cleo = Person.register(self.http, name="cleo", referral_code=code)
        self.tell("Ben registers with her affiliate code, Cleo with the further one.")
        self._until(lambda: len(list(amara.all("/referrals"))) == 2, "both referrals show")
        return amara, ben, cleo

    def _money(self, amara: Person, ben: Person, cleo: Person) -> None:
        self.accounts["amara real"] = (amara, amara.open_real())
        for name, person in (("ben", ben), ("cleo", cleo)):
            self.accounts[f"{name} demo"] = (person, person.open_demo())
            self.accounts[f"{name} real"] = (person, person.open_real())
            amount = DEPOSITS[name]
            deposit = person.deposit(self.accounts[f"{name} real"][1], str(amount))
            done = self.staff.do("POST", f"/transactions/{deposit}/complete")
            self.tell(f"{name.title()} pays in {amount}, staff complete it: balance {done['balance_after']} USD.")
        real = self.accounts["ben real"][1]
        # The rule and the code travel to trades by events: a quote shows when they are there.
        self._until(lambda: ben.get("/accounts")["results"] and self._quoted(ben, real), "the markup is quoted")

    def _quoted(self, person: Person, account_id: str) -> bool:
        quote = person.do("POST", "/trades/quotes", person.terms(account_id))
        return bool(quote["markup_percent"] == str(MARKUP_PERCENT))

    def _win_and_lose(self, person: Person, name: str) -> None:
        """A CALL and a PUT together, once more while they do not end differently (a tie, a tick in between)."""
        for kind in ("demo", "real"):
            account_id = self.accounts[f"{name} {kind}"][1]
            for _ in range(_ROUNDS):
                pair = [person.open(person.terms(account_id, side)) for side in ("CALL", "PUT")]
                ended = [self._ended(person, trade["id"]) for trade in pair]
                self.trades += ended
                results = " and ".join(
                    f"{trade['contract_type']} {trade['status']} ({trade['profit']})" for trade in ended
                )
                self.tell(f"{name.title()} opens a CALL and a PUT on his {kind.upper()} account: {results}.")
                if {trade["status"] for trade in ended} == {"WON", "LOST"}:
                    break
            else:
                raise Stuck(f"{name} neither won nor lost in {_ROUNDS} rounds")

    def _voids(self, cleo: Person) -> dict[str, Decimal]:
        """One trade is voided while it is open, one after it was settled; markup that was earned by the latter."""
        account_id = self.accounts["cleo real"][1]
        running = cleo.open(cleo.terms(account_id, seconds=3600))
        settled = self._ended(cleo, cleo.open(cleo.terms(account_id))["id"])
        for trade, state in ((running, "open"), (settled, settled["status"])):
            gone = self.staff.do("POST", f"/trades/{trade['id']}/void", {"reason": "the price feed was wrong"})
            self.tell(f"Staff void a trade of Cleo's that was {state}: {gone['status']}, stake and markup come back.")
            self.trades.append(gone)
        return {settled["id"]: Decimal(settled["markup_applied"])}

    def _credits(self, amara: Person) -> Decimal:
        """What Amara has to have earned in the end; waits until it shows."""
        markups = sum(
            (
                Decimal(t["markup_applied"])
                for t in self.trades
                if t["account_type"] == "REAL" and t["status"] != "CANCELLED"
            ),
            Decimal(0),
        )
        shares = [(amount * REFERRAL_PERCENT / 100).quantize(CENT, ROUND_HALF_UP) for amount in DEPOSITS.values()]
        earned = markups + sum(shares, Decimal(0))
        account_id = self.accounts["amara real"][1]

        def credited() -> bool:
            lines = amara.all(f"/transactions?account_id={account_id}&tx_type=COMMISSION")
            return sum((Decimal(line["amount"]) for line in lines), Decimal(0)) == earned

        self._until(credited, f"Amara is credited {earned}")
        self.tell(f"Amara has earned {earned} USD: {markups} of markups and {sum(shares)} for two first deposits.")
        return earned

    def _add_up(self, amara: Person, earned: Decimal, voided: dict[str, Decimal]) -> None:
        for name in ("ben", "cleo"):
            for kind in ("demo", "real"):
                account = f"{name} {kind}"
                account_id = self.accounts[account][1]
                profits = sum((Decimal(t["profit"]) for t in self.trades if t["account_id"] == account_id), Decimal(0))
                expected = str(Decimal(self.before[account]) + profits)
                self._check_soon(f"{account} has changed by its profits", expected, partial(self._balance, account))
        self._check_soon("amara real holds what was earned", str(earned), partial(self._balance, "amara real"))
        for name, (person, account_id) in self.accounts.items():
            # A hold may be free a moment after its trade shows as ended.
            self._until(lambda p=person, a=account_id: _free(p.account(a)), f"nothing is held for {name}")  # type: ignore[misc]
            lines = [
                line for line in person.all(f"/transactions?account_id={account_id}") if line["status"] == "COMPLETED"
            ]
            total = sum((Decimal(line["amount"]) for line in lines), Decimal(0))
            self._check(f"the lines of {name} are its balance", self._balance(name), str(total))
        for trade_id in voided:
            self._check_soon("commission on the voided trade", "0.00", partial(self._commission, amara, trade_id))
        self._told(amara)

    def _told(self, amara: Person) -> None:
        """Everybody concerned has exactly one notification of each trade, and audit one entry of each fact."""
        for name in ("ben", "cleo"):
            person = self.accounts[f"{name} real"][0]
            mine = {t["id"] for t in self.trades if t["user_id"] == person.user_id and t["status"] != "CANCELLED"}

            def told(person: Person = person) -> list[str]:
                notes = person.all("/notifications")
                return [n["data"]["trade_id"] for n in notes if n["data"].get("type") == "trade_settled"]

            self._until(lambda told=told, mine=mine: mine <= set(told()), f"{name} is notified")  # type: ignore[misc]
            counts = {trade_id: told().count(trade_id) for trade_id in mine}
            self._check(
                f"notifications of each trade of {name}", "1", ",".join(sorted({str(n) for n in counts.values()}))
            )
        trade = next(t for t in self.trades if t["account_type"] == "REAL" and t["status"] == "WON")
        path = f"/audit?subject_id={trade['id']}"
        self._until(lambda: len(self.staff.get(path)["results"]) >= 2, "the trade is in the audit trail")
        actions = sorted(entry["action"] for entry in self.staff.get(path)["results"])
        self._check("the audit trail of a trade", "TRADE_CLOSED,TRADE_CREATED", ",".join(actions))
        self.tell(f"Amara has {amara.get('/dashboard')['unread_notifications']} unread notifications.")

    # -- helpers

    def _ended(self, person: Person, trade_id: str) -> dict[str, Any]:
        self._until(lambda: person.trade(trade_id)["status"] in ENDED, f"trade {trade_id} ends")
        return person.trade(trade_id)

    def _balances(self) -> dict[str, str]:
        return {name: self._balance(name) for name in self.accounts}

    def _balance(self, name: str) -> str:
        person, account_id = self.accounts[name]
        return str(person.account(account_id)["balance"])

    def _commission(self, amara: Person, trade_id: str) -> str:
        """What a trade has earned her, net of what was taken back."""
        path = f"/commission/transactions?reference={trade_id}&owner_id={amara.user_id}"
        net = sum((Decimal(entry["amount"]) for entry in self.staff.get(path)["results"]), Decimal(0))
        return str(net.quantize(CENT))

    def _check_soon(self, name: str, expected: str, look: Callable[[], str]) -> None:
        """What the last events bring about is waited for; what is found in the end counts."""
        until = time.monotonic() + _WAIT_SECONDS
        while (found := look()) != expected and time.monotonic() < until:
            time.sleep(0.1)
        self._check(name, expected, found)

    def _check(self, name: str, expected: str, found: str) -> None:
        self.checks.append(Check(name, expected, found))

    def _until(self, what: Callable[[], object], name: str) -> None:
        until = time.monotonic() + _WAIT_SECONDS
        while not what():
            if time.monotonic() > until:
                raise Stuck(f"waited {_WAIT_SECONDS:g} s, but not so: {name}")
            time.sleep(0.1)


def _free(account: dict[str, Any]) -> bool:
    return bool(account["balance"] == account["available"])
