"""Any sequence of holds, releases, results, voids and transfers ends like a simple model of them in dictionaries."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from billing import ledger
from shared.contracts.billing.errors import HoldMismatch, HoldRefused, InsufficientFunds
from shared.contracts.errors import NotReady
from shared.utils.ids import new_id

TRADERS = st.integers(0, 1)
TRADES = st.integers(0, 5)
AMOUNT = st.sampled_from([1, 300_000, 400_000, 1_000_000, 1_000_001])
PAYOUT = st.sampled_from([0, 1, 500_000])


def outcome(call):
    """None, or the kind of refusal."""
    try:
        call()
    except (HoldMismatch, HoldRefused, InsufficientFunds, NotReady) as refused:
        return type(refused)
    return None


class LedgerMachine(RuleBasedStateMachine):
    """Two traders and half a dozen trades, asked for in every order, each step perhaps many times."""

    books = None

    @initialize()
    def begin(self):
        self.traders = [self.books.trader(), self.books.trader()]
        self.trades = [new_id() for _ in range(6)]
        self.balance = [1_000_000, 1_000_000]
        self.debt = [0, 0]
        self.voided = set()
        self.holds = {}
        self.settled = {}
        self.transfers = {}

    def held(self, trader):
        return sum(amount for owner, amount, state in self.holds.values() if owner == trader and state == "HELD")

    def move(self, trader, net, *, is_mirror=False):
        """What an entry does to balance and debt."""
        self.balance[trader] += net
        available = self.balance[trader] - self.held(trader)
        if is_mirror and net < 0 and available < 0:
            borrowed = min(-available, -net)
        elif net > 0:
            borrowed = -min(max(available, 0), self.debt[trader])
        else:
            borrowed = 0
        self.balance[trader] += borrowed
        self.debt[trader] += borrowed

    @rule(trader=TRADERS, trade=TRADES, amount=AMOUNT)
    def hold(self, trader, trade, amount):
        known = self.holds.get(trade)
        if known is None:
            fits = self.balance[trader] - self.held(trader) >= amount
            expected = None if fits else InsufficientFunds
            if fits:
                self.holds[trade] = (trader, amount, "HELD")
        elif known[2] == "RELEASED":
            expected = HoldRefused
        else:
            expected = None if known[:2] == (trader, amount) else HoldMismatch
        call = lambda: self.books.hold(self.traders[trader], amount, self.trades[trade])  # noqa: E731
        assert outcome(call) == expected

    @rule(trade=TRADES)
    def release(self, trade):
        owner, amount, state = self.holds.get(trade, (None, None, "RELEASED"))
        state = "RELEASED" if state == "HELD" else state
        self.holds[trade] = (owner, amount, state)
        assert self.books.release(self.trades[trade]) == state

    @rule(trades=st.lists(TRADES, min_size=1, max_size=4), payout=PAYOUT, is_void=st.booleans())
    def end(self, trades, payout, is_void):
        """A batch of results, or of voids of trades that had this result."""
        events, expected = [], None
        make, handle = (self.books.cancelled, self.books.void) if is_void else (self.books.settled, self.books.settle)
        for trade in dict.fromkeys(trades):
            owner, amount, state = self.holds.get(trade, (0, 300_000, None))
            amounts = {"held": amount or 1, "stake": amount or 1, "markup": 0, "payout": payout}
            events.append(make(self.traders[owner or 0], self.trades[trade], **amounts))
            if state is None:
                expected = expected or NotReady
            elif state == "RELEASED" or self.settled.get(trade, payout) != payout:
                expected = HoldMismatch if expected is None or expected is HoldMismatch else "either"
        result = outcome(lambda: handle(*events, *events))
        if expected is not None:
            assert result in (NotReady, HoldMismatch)
            return
        assert result is None
        for trade in dict.fromkeys(trades):
            owner, amount, state = self.holds[trade]
            if state == "HELD":
                self.holds[trade] = (owner, amount, "SETTLED")
                self.settled[trade] = payout
                self.move(owner, payout - amount)
            if is_void and trade not in self.voided:
                self.voided.add(trade)
                self.move(owner, amount - payout, is_mirror=True)

    @rule(trader=TRADERS, amount=st.sampled_from([-1_000_000, -250_000, -1, 1, 250_000]), ref=st.integers(0, 3))
    def transfer(self, trader, amount, ref):
        request = self.books.transfer(self.traders[trader], amount, ref=f"{self.trades[0]}:{ref}")
        known = self.transfers.get(ref)
        if known is not None:
            expected = None if known == (trader, amount) else HoldMismatch
        elif self.balance[trader] + amount < self.held(trader):
            expected = InsufficientFunds
        else:
            expected = None
            self.transfers[ref] = (trader, amount)
            self.move(trader, amount)
        assert outcome(lambda: self.books.post(request)) == expected

    @invariant()
    def money_is_where_the_model_says(self):
        for number, trader in enumerate(getattr(self, "traders", ())):
            assert self.books.money(trader) == (self.balance[number], self.held(number))
            owed = ledger.receivable("demo", "USD", trader.user_id)
            assert self.books.balance(owed) == -self.debt[number]

    def teardown(self):
        assert self.books.violations() == {}
        states = Counter(state for _, _, state in getattr(self, "holds", {}).values())
        assert states["SETTLED"] == len(getattr(self, "settled", ()))


def test_the_ledger_behaves_like_its_model(books):
    run_state_machine_as_test(
        type("Machine", (LedgerMachine,), {"books": books}),
        settings=settings(
            max_examples=30, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
