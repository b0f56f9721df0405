"""Checks offline that a settled trade came out as the revealed seeds say.

    python verifier.py PROOF [PUBLISHED]

PROOF is what the service gives for a trade. PUBLISHED, if you kept it, is the list of commitments as you got it before
the hours began: [{"hour": 495000, "commitment": "…"}, …], or an object with that list as "results". Prints what was
found, and ends with 0 when everything is right, else with 1.

What was agreed (kind, barrier, amounts, time of purchase) compare with what you were told then: no seed knows it.

This file stands alone on purpose: Python 3.11 and its standard library, its own table and its own arithmetic, nothing
of the program whose work it checks. An hour's prices follow from its seed thus: a Brownian motion W in units of ticks
begins at 0; N(node) is the standard normal quantile of (b + ½)/2⁵³, b the first 53 bits of HMAC-SHA256(seed,
"SYMBOL:node"). At the hour's last tick n it is √n·N(n); between two known ticks l and h the middle one m has their
interpolation and √((m-l)(h-m)/(h-l))·N(m) more. The price is opening·exp(v√dt·W - v²dt/2·tick), half-even to the
symbol's decimals, v the volatility, dt the interval in years; its value at the last tick opens the next hour.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import sys
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from pathlib import Path
from statistics import NormalDist
from typing import Any

FORMAT = "nexus-trade-proof/1"
SYMBOLS = {
    "R_10": (0.1, 2, 3, "6300"),
    "R_25": (0.25, 2, 3, "2900"),
    "R_50": (0.5, 2, 4, "190"),
    "R_75": (0.75, 2, 4, "90000"),
    "R_100": (1.0, 2, 2, "1500"),
    "1HZ10V": (0.1, 1, 2, "9900"),
    "1HZ15V": (0.15, 1, 3, "10000"),
    "1HZ25V": (0.25, 1, 2, "750000"),
    "1HZ30V": (0.3, 1, 3, "10000"),
    "1HZ50V": (0.5, 1, 2, "250000"),
    "1HZ75V": (0.75, 1, 2, "5500"),
    "1HZ90V": (0.9, 1, 3, "10000"),
    "1HZ100V": (1.0, 1, 2, "2400"),
}
"""Volatility a year, seconds between ticks, decimals, level at which the first hour opens."""
HOUR = 3600
YEAR = 365 * 86400
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SAME = 1e-12
"""Openings may differ by this share: exp and log of another computer may end in another last bit."""


def level(code: str, seed: bytes, opening: str, tick: int) -> float:
    """The unrounded price of a tick of an hour."""
    volatility, interval, _, _ = SYMBOLS[code]

    def normal(node: int) -> float:
        bits = int(hmac.new(seed, f"{code}:{node}".encode(), hashlib.sha256).hexdigest(), 16) >> (256 - 53)
        return NormalDist().inv_cdf((bits + 0.5) / 2**53)

    last, step = HOUR // interval, interval / YEAR
    left, right = (0, 0.0), (last, math.sqrt(last) * normal(last))
    walked = right[1] if tick == last else left[1]
    while left[0] < tick < right[0]:
        node = (left[0] + right[0]) // 2
        before, after, width = node - left[0], right[0] - node, right[0] - left[0]
        between = left[1] + before / width * (right[1] - left[1])
        walked = between + math.sqrt(before * after / width) * normal(node)
        left, right = (left, (node, walked)) if tick < node else ((node, walked), right)
    return float(opening) * math.exp(volatility * math.sqrt(step) * walked - volatility**2 * step / 2 * tick)


def price(code: str, seed: bytes, opening: str, tick: int) -> Decimal:
    """The price of a tick of an hour as it is shown."""
    return Decimal(level(code, seed, opening, tick)).quantize(pip(code), rounding=ROUND_HALF_EVEN)


def pip(code: str) -> Decimal:
    """The smallest step of a symbol's price."""
    return Decimal(1).scaleb(-SYMBOLS[code][2])


class Check:
    """One proof under examination: `faults` are sentences about what is wrong, `notes` about what to know."""

    def __init__(self, proof: dict[str, Any], published: dict[int, str] | None) -> None:
        self.proof, self.published = proof, published
        self.faults: list[str] = []
        self.notes: list[str] = []
        self.contract, self.settlement = proof["contract"], proof["settlement"]
        self.code: str = self.contract["symbol"]
        self.interval = SYMBOLS[self.code][1]
        self.bought, self.starts = instant(self.contract["bought_at"]), instant(self.contract["starts_at"])
        self.expires = instant(self.contract["expires_at"])
        self.ended = instant(self.settlement["sold_at"] or self.contract["expires_at"])
        self.hours = {int(hour["hour"]): hour for hour in proof["hours"]}

    def expect(self, holds: bool, otherwise: str) -> None:
        """Notes a fault unless something holds."""
        if not holds:
            self.faults.append(otherwise)

    def times(self) -> None:
        """The entry is the first tick after the purchase, the exit the last one by the end."""
        length, step = timedelta(seconds=self.contract["duration_seconds"]), timedelta(seconds=self.interval)
        first = EPOCH + timedelta(seconds=(seconds(self.bought) // self.interval + 1) * self.interval)
        self.expect(self.starts == first, f"The first tick after the purchase is at {first}, not {self.starts}.")
        self.expect(self.expires == self.starts + length, f"It does not end {length} after its start.")
        was_sold = self.settlement["result"] == "sold"
        stated = {self.settlement[name] is not None for name in ("sold_at", "commission")}
        self.expect(stated == {was_sold}, "Only what was sold has a time of sale and a commission.")
        self.expect(not was_sold or self.starts < self.ended < self.expires, "It was not sold while it ran.")
        for name, at in (("entry", self.starts), ("exit", self.ended)):
            tick = EPOCH + timedelta(seconds=seconds(at) // self.interval * self.interval)
            self.expect(instant(self.proof[name]["at"]) == tick, f"The {name} is the tick at {tick}.")
        count = self.contract["duration_ticks"]
        wanted = [] if count is None else [self.starts + step * number for number in range(count + 1)]
        self.expect(count is None or length == step * count, f"It does not end {count} ticks after its start.")
        self.expect([instant(tick["at"]) for tick in self.proof["ticks"]] == wanted, "Ticks are missing, or too many.")

    def seeds(self) -> None:
        """Seeds fit commitments, hours are complete, and each opens where the one before ended."""
        numbers = [int(hour["hour"]) for hour in self.proof["hours"]]
        first, last = self.place(self.starts)[0], self.place(self.ended)[0]
        has_before = numbers[:1] == [first - 1]
        wanted = list(range(first - has_before, last + 1))
        self.expect(numbers == wanted, f"The hours must be {wanted}, not {numbers}.")
        for number, hour in self.hours.items():
            hashed = hashlib.sha256(bytes.fromhex(hour["seed"])).hexdigest()
            self.expect(hashed == hour["commitment"], f"The seed of hour {number} does not fit its commitment.")
            begins = EPOCH + timedelta(seconds=number * HOUR)
            if instant(hour["committed_at"]) >= begins:
                self.notes.append(f"Hour {number} was committed to after it had begun, at {hour['committed_at']}.")
            if self.published is not None:
                known = self.published.get(number)
                self.expect(known == hashed, f"The published commitment of hour {number} is {known}, not {hashed}.")
            self.opening(number, hour["opening"], is_first=number == first)

    def opening(self, number: int, stated: str, *, is_first: bool) -> None:
        """An hour opens where the one before ended; without one before, at the symbol's first level."""
        before = self.hours.get(number - 1)
        if before is not None:
            closing = level(self.code, bytes.fromhex(before["seed"]), before["opening"], HOUR // self.interval)
            same = math.isclose(float(stated), closing, rel_tol=SAME)
            self.expect(same, f"Hour {number} must open at {closing}, not {stated}.")
        elif is_first:
            start = SYMBOLS[self.code][3]
            self.expect(Decimal(stated) == Decimal(start), f"The first hour of {self.code} opens at {start}.")

    def spots(self) -> None:
        """Every price that is stated is the one that follows from the seed."""
        for stated in (self.proof["entry"], self.proof["exit"], *self.proof["ticks"]):
            number, tick = self.place(instant(stated["at"]))
            if number not in self.hours:
                self.faults.append(f"The hour of the tick at {stated['at']} is missing.")
                continue
            hour = self.hours[number]
            found = price(self.code, bytes.fromhex(hour["seed"]), hour["opening"], tick)
            self.expect(Decimal(stated["spot"]) == found, f"At {stated['at']} the price was {found}.")

    def result(self) -> None:
        """Won, lost or sold, and paid, as the spots say."""
        entry, last = Decimal(self.proof["entry"]["spot"]), Decimal(self.proof["exit"]["spot"])
        kind, barrier = self.contract["contract_type"], self.contract["barrier"]
        strike = entry if barrier is None else Decimal(barrier) + (entry if barrier[0] in "+-" else 0)
        self.expect(Decimal(self.settlement["barrier"]) == strike, f"The level to compare with is {strike}.")
        payout, paid = Decimal(self.contract["payout"]), Decimal(self.settlement["paid"])
        if self.settlement["result"] == "sold":
            worth = self.bid(kind, last, strike, payout)
            self.expect(paid == worth, f"It was worth {worth} when it was sold, not {paid}.")
            return
        won = {"CALL": last > strike, "PUT": last < strike, "CALLE": last >= strike, "PUTE": last <= strike}[kind]
        found, due = ("won", payout) if won else ("lost", Decimal(0))
        self.expect(self.settlement["result"] == found, f"{kind} at {last} against {strike}: it {found}.")
        self.expect(paid == due, f"It pays {due}, not {paid}.")

    def bid(self, kind: str, spot: Decimal, strike: Decimal, payout: Decimal) -> Decimal:
        """Payout times the probability that it still wins, less the commission."""
        left = (self.expires - instant(self.proof["exit"]["at"])).total_seconds()
        spread = SYMBOLS[self.code][0] * math.sqrt(left / YEAR)

        def above(limit: Decimal) -> float:
            return NormalDist().cdf(math.log(spot / limit) / spread - spread / 2) if limit > 0 else 1.0

        chance = above(strike) if kind.startswith("CALL") else 1 - above(strike)
        if kind.endswith("E"):
            chance += above(strike - pip(self.code) / 2) - above(strike + pip(self.code) / 2)
        share = Decimal(min(chance, 1.0)).quantize(Decimal("1e-12")) - Decimal(self.settlement["commission"])
        return (payout * max(share, Decimal(0))).quantize(payout, rounding=ROUND_HALF_UP)

    def place(self, at: datetime) -> tuple[int, int]:
        """Hour and number in it of the last tick by an instant; the tick on the hour also ends the hour before."""
        number, rest = divmod(seconds(at), HOUR)
        tick = rest // self.interval
        if tick == 0 and number not in self.hours and number - 1 in self.hours:
            return number - 1, HOUR // self.interval
        return number, tick


def seconds(at: datetime) -> int:
    """Whole seconds since the epoch."""
    return (at - EPOCH) // timedelta(seconds=1)


def instant(text: str) -> datetime:
    """An RFC 3339 time."""
    return datetime.fromisoformat(text)


def verify(proof: Any, published: dict[int, str] | None = None) -> tuple[list[str], list[str]]:
    """Sentences about what is wrong (none: the trade is right), and about what else to know."""
    try:
        if proof["format"] != FORMAT:
            return [f"This file checks {FORMAT}, not {proof['format']}."], []
        check = Check(proof, published)
        for part in (check.times, check.seeds, check.spots, check.result):
            part()
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError, IndexError) as error:
        return [f"This is no complete proof: {type(error).__name__}: {error}."], []
    return check.faults, check.notes


def main(arguments: list[str]) -> int:
    """Checks the files named, prints what was found, and returns the exit status."""
    try:
        proof, *kept = (json.loads(Path(name).read_text(encoding="utf-8")) for name in arguments)
        entries = (kept[0]["results"] if isinstance(kept[0], dict) else kept[0]) if kept else None
        published = None if entries is None else {int(one["hour"]): one["commitment"] for one in entries}
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.stdout.write(f"Cannot read what to check: {error}\n{__doc__.splitlines()[2].strip()}\n")
        return 1
    faults, notes = verify(proof, published)
    for line in (*faults, *notes):
        sys.stdout.write(f"{line}\n")
    if faults:
        sys.stdout.write("WRONG: the trade does not follow from its seeds.\n")
        return 1
    spots = f"entry {proof['entry']['spot']}, exit {proof['exit']['spot']}"
    paid = f"{proof['settlement']['result']}, {proof['settlement']['paid']} {proof['contract']['currency']}"
    sys.stdout.write(f"RIGHT: {proof['contract']['symbol']}, {spots}: {paid}.\n")
    if published is None:
        sys.stdout.write("Compare the commitments in the file with those that were published before the hours.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
