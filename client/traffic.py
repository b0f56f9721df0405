"""Traders, affiliates and staff at work all at once, each with a journal of what was promised."""

from __future__ import annotations

import contextlib
import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Self

from client.http import Answer, Http, NoAnswer
from client.journal import Journal, Request
from client.person import Person, new_key

REFERRAL_PERCENT, MARKUP_PERCENT = Decimal("10.00"), Decimal("2.00")
FIRST_DEPOSIT = "1000.00"
_PAUSE_SECONDS = 0.02
_LONG_SECONDS = 3600


@dataclass
class Trader:
    """A person with a demo and a real account, whom an affiliate brought."""

    person: Person
    affiliate: Person
    demo: str
    real: str
    journal: Journal = field(default_factory=Journal)

    @classmethod
    def ready(cls, http: Http, staff: Person, affiliate: Person) -> Trader:
        """Registered with the affiliate's code, with a first deposit completed."""
        person = Person.register(http, name="trader", referral_code=affiliate.affiliate_code)
        made = cls(person, affiliate, person.open_demo(), person.open_real())
        staff.do("POST", f"/transactions/{person.deposit(made.real, FIRST_DEPOSIT)}/complete")
        return made


def new_affiliate(http: Http, staff: Person) -> Person:
    """An affiliate with a rule and a real account."""
    person = Person.register(http, name="affiliate")
    rule = {"referral_percent": str(REFERRAL_PERCENT), "markup_percent": str(MARKUP_PERCENT)}
    staff.do("PUT", f"/commission/rules/{person.user_id}", rule)
    person.open_real()
    return person


class Traffic:
    """One thread per trader, doing one thing after the other until told to stop; the seed decides what."""

    def __init__(self, traders: Sequence[Trader], staff: Person, *, seed: int, clock: Callable[[], float]) -> None:
        self.traders, self.staff, self.clock = traders, staff, clock
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(trader, random.Random(f"{seed}:{number}")), daemon=True)
            for number, trader in enumerate(traders)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def opened_between(self, begun: float, ended: float) -> int:
        """How many trades were answered 201 between two moments of the clock."""
        return sum(
            request.what == "open" and begun <= at <= ended
            for trader in self.traders
            for request, _, at in list(trader.journal.promised)
        )

    def refused_between(self, begun: float, ended: float) -> Counter[str]:
        """What was answered 503, or not at all, between two moments of the clock, by what was asked."""
        return Counter(
            what
            for trader in self.traders
            for what, status, at in list(trader.journal.outcomes)
            if begun <= at <= ended and status in ("503", "broken")
        )

    def settle_unknown(self, trader: Trader) -> None:
        """Repeats what had no final answer until there is one, as clients are told to. Raises NoAnswer."""
        unknown, trader.journal.unknown = trader.journal.unknown, []
        for request in unknown:
            headers = {**self._who(trader, request).headers, "Idempotency-Key": request.key}
            answer = trader.person.http.until_final(request.method, request.path, request.body, headers)
            trader.journal.note(request, answer, -1.0)

    def _work(self, trader: Trader, chance: random.Random) -> None:
        while not self._stop.wait(_PAUSE_SECONDS):
            # Whoever is on the way out must not take the thread with him: a login may break too.
            with contextlib.suppress(NoAnswer):
                self._one(trader, chance)

    def _one(self, trader: Trader, chance: random.Random) -> None:
        account_id = chance.choice((trader.demo, trader.real))
        dice = chance.random()
        if dice < 0.80:
            stake = f"{chance.randint(35, 200) / 100:.2f}"
            terms = trader.person.terms(account_id, chance.choice(("CALL", "PUT")), stake=stake)
            self._ask(trader, Request("open", "POST", "/trades", terms, new_key(), account_id))
        elif dice < 0.86:
            body = {"account_id": trader.real, "amount": f"{chance.randint(1, 50)}.00"}
            request = Request("deposit", "POST", "/transactions/deposits", body, new_key(), trader.real)
            answer = self._ask(trader, request)
            if answer is not None and answer.status == 201:
                path = f"/transactions/{answer.body['id']}/complete"
                self._ask(trader, Request("complete", "POST", path, None, new_key(), trader.real))
        elif dice < 0.92:
            recent = [body for _, body in trader.journal.of("open")[-20:]]
            if recent:
                self._void(trader, chance.choice(recent)["id"], account_id)
        elif dice < 0.96:
            terms = trader.person.terms(account_id, stake="1.00", seconds=_LONG_SECONDS)
            answer = self._ask(trader, Request("open", "POST", "/trades", terms, new_key(), account_id))
            if answer is not None and answer.status == 201:
                self._close(trader, answer.body["id"], account_id, chance)
        else:
            path = chance.choice(("/dashboard", "/trades", "/notifications"))
            trader.journal.note_read(path, trader.person.http.get(path, trader.person.headers))

    def _void(self, trader: Trader, trade_id: str, account_id: str) -> None:
        body = {"reason": "chaos"}
        self._ask(trader, Request("void", "POST", f"/trades/{trade_id}/void", body, new_key(), account_id))

    def _close(self, trader: Trader, trade_id: str, account_id: str, chance: random.Random) -> None:
        if chance.random() < 0.5:
            self._void(trader, trade_id, account_id)
            return
        body = {"payout": f"{chance.randint(0, 150) / 100:.2f}"}
        self._ask(trader, Request("close", "POST", f"/trades/{trade_id}/close", body, new_key(), account_id))

    def _ask(self, trader: Trader, request: Request) -> Answer | None:
        answer: Answer | None = None
        headers = {**self._who(trader, request).headers, "Idempotency-Key": request.key}
        with contextlib.suppress(NoAnswer):
            answer = trader.person.http.call(request.method, request.path, request.body, headers)
        trader.journal.note(request, answer, self.clock())
        return answer

    def _who(self, trader: Trader, request: Request) -> Person:
        return trader.person if request.what in ("open", "deposit") else self.staff
