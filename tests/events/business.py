"""Short words for what people and staff do, by the services' own doors. What they do is told, and nobody hears of it
unless a test says so: as if the broker were away.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any, Final

from shared.chassis import outbox
from shared.chassis.batches import Outcome
from shared.chassis.context import Context, Idempotency
from shared.devstack.registry import SERVICES
from shared.utils.ids import new_id
from shared.utils.time import use_clock
from tests.events.world import Message, World, readers
from users.commands.change_user import change_user
from users.commands.make_user import make_user

STAFF: Final = new_id()
PASSWORD: Final = "a long enough password"
COPIES: Final = {
    "trades": ("user_copies", "account_copies", "code_copies", "rule_copies"),
    "commission": ("user_copies", "user_names"),
}
"""What commands go by that others have told."""
_FILL_COPIES: Final = (
    "user_registered",
    "user_updated",
    "account_opened",
    "account_updated",
    "referral_code_changed",
    "commission_rule_changed",
)


_PRESENT: Final = (
    ("users", "user_registered"),
    ("billing", "account_opened"),
    ("referrals", "referral_code_changed"),
    ("commission", "commission_rule_changed"),
)
"""What `republish` sends."""


class Business:
    """`heard` are the readers and events that somebody was told of after all, for good."""

    def __init__(self, world: World) -> None:
        self.world = world
        # Long enough ago that all can have happened before now, and short enough that nothing is overdue.
        self.now = datetime.now(UTC) - timedelta(hours=2)
        self.codes: dict[str, str] = {}
        self.heard: set[tuple[str, str]] = set()

    @contextmanager
    def open(self) -> Iterator[None]:
        """Its own time, and copies for those who need them: afterwards nobody has heard of anything."""
        with use_clock(lambda: self.now):
            yield
        self.events()
        for service, tables in COPIES.items():
            self.world.past_guards(service, *(f"DELETE FROM {table}" for table in tables))

    def go(self, seconds: float) -> None:
        """Time passes."""
        self.now += timedelta(seconds=seconds)

    def register(self, name: str, code: str | None = None) -> str:
        """A user, by a code if one is given."""
        person = {"username": name, "email": f"{name}@example.org", "password": PASSWORD, "referral_code": code}
        user = self.world.call("users", "register", ctx=Context(), **person)["user"]
        self.codes[user["id"]] = user["affiliate_code"]
        self.go(1)
        return str(user["id"])

    def write(self, name: str, claimed: dict[str, str]) -> str:
        """A user with a code of which referrals has lost the claim."""
        db, user_id = self.world.databases.get("users"), new_id()
        person = {"username": name, "email": f"{name}@example.org", "password_hash": "!", "is_staff": False}
        with db.transaction() as tx:
            make_user(tx, user_id=user_id, **person, now=self.now, referral=claimed)
        return user_id

    def change(self, user_id: str, **wanted: Any) -> None:
        """Staff change a user."""
        change_user(self.world.databases.get("users"), user_id=user_id, wanted=wanted, now=self.now)
        self.go(1)

    def demo(self, user_id: str) -> str:
        """A demo account's id."""
        return str(self.world.call("billing", "open_demo_account", ctx=by(user_id))["account"]["id"])

    def real(self, user_id: str, currency: str = "USD", **more: Any) -> str:
        """A REAL account's id."""
        asked = {"deriv_account_id": f"CR-{currency}-{user_id}", "currency": currency, **more}
        return str(self.world.call("billing", "sync_real_account", ctx=by(user_id), **asked)["account"]["id"])

    def deposit(self, user_id: str, account_id: str, amount: str, *, end: str | None = "complete_deposit") -> str:
        """A deposit's id; staff decide at once, unless `end` is None."""
        asked = {"account_id": account_id, "amount": amount, "reference": f"wire {amount}"}
        made = self.world.call("billing", "request_deposit", ctx=by(user_id), **asked)["transaction"]["id"]
        self.go(1)
        if end is not None:
            self.world.call("billing", end, ctx=staff(), transaction_id=made)
            self.go(1)
        return str(made)

    def rule(self, owner_id: str, referral: str, markup: str) -> None:
        """Staff set what somebody earns."""
        self.inform("commission")
        asked = {"owner_id": owner_id, "referral_percent": referral, "markup_percent": markup}
        self.world.call("commission", "set_rule", ctx=staff(), **asked)
        self.go(1)

    def trade(self, user_id: str, account_id: str, stake: str, *, seconds: int = 60, **more: Any) -> dict[str, Any]:
        """An open trade."""
        asked = {"account_id": account_id, "symbol": "R_100", "contract_type": "CALL", "duration_seconds": seconds}
        self.go(0.1)
        answer = self.world.call("trades", "open_trade", ctx=by(user_id), **{**asked, **more}, stake=stake)
        trade: dict[str, Any] = answer["trade"]
        return trade

    def close(self, trade: dict[str, Any], payout: str) -> None:
        """Staff settle a trade by hand."""
        self.go(5)
        self.world.call("trades", "close_trade", ctx=staff(), trade_id=trade["id"], payout=payout)

    def void(self, trade: dict[str, Any]) -> None:
        """Staff undo a trade."""
        self.go(1)
        self.world.call("trades", "void_trade", ctx=staff(), trade_id=trade["id"], reason="the feed was wrong")

    def inform(self, service: str) -> None:
        """The service has the copies that it goes by; `open` takes them away in the end."""
        told = [event for event in self.events() if event["type"] in _FILL_COPIES]
        self._hear(service, told)

    def hear(self, service: str, type_: str, *subjects: str) -> None:
        """The service has heard this of these trades, accounts … and acted, for good."""
        told = [event for event in self.events() if event["type"] == type_]
        told = [event for event in told if not subjects or set(subjects) & set(event["data"].values())]
        assert told
        self._hear(service, told)
        self.heard |= {(service, event["id"]) for event in told}

    def events(self) -> list[dict[str, Any]]:
        """All that has been told, in the order in which it happened."""
        for service in SERVICES:
            self.world.take(service)
        return sorted(self.world.told, key=lambda event: str(event["id"]))

    def present(self) -> list[dict[str, Any]]:
        """The present state of everything as it is sent to fill copies."""
        found = []
        for owner, type_ in _PRESENT:
            with self.world.databases.get(owner).read() as tx:
                for event in import_module(f"{owner}.events").present(tx, type_, after=None, limit=1000):
                    envelope = outbox.make_envelope(event, Context(kind="system"), self.now)
                    found.append(replace(envelope, republished=True).to_json())
        return found

    def _hear(self, service: str, told: list[dict[str, Any]]) -> None:
        batch = self.world.seats[service].hear([Message(event) for event in told if service in readers(event)])
        assert {item.outcome for item in batch.items} <= {Outcome.DONE}, [item.error for item in batch.items]


def by(user_id: str) -> Context:
    """Somebody asks, each time for something new."""
    return Context(kind="user", user_id=user_id, idempotency=_key())


def staff() -> Context:
    """A member of staff does."""
    return Context(kind="staff", user_id=STAFF, roles=("staff",), idempotency=_key())


def _key() -> Idempotency:
    return Idempotency(key=new_id(), route="POST /", request_hash="")
