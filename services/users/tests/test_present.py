"""Present state for those who fill a copy."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from shared.utils.time import to_rfc3339
from users import events
from users.commands.set_user_markup import set_user_markup
from users.invariants import FACTS


def test_it_comes_in_the_order_of_ids_with_version_and_names(people: Any) -> None:
    made = [people.register(name) for name in ("ada", "bob", "cy")]
    set_user_markup(people.db, user_id=made[1]["id"], percentage=Decimal("1.50"), now=people.now)
    found, after = [], None
    with people.db.read() as tx:
        while some := events.present(tx, "user_registered", after=after, limit=2):
            found += some
            after = some[-1].subject
        with pytest.raises(KeyError):
            events.present(tx, "user_updated", after=None, limit=2)
    assert [one.subject for one in found] == sorted(user["id"] for user in made)
    second = found[1]
    assert (second.subject_version, second.data.markup_percentage, second.personal["username"]) == (2, "1.50", "bob")
    assert to_rfc3339(second.occurred_at) == made[1]["created_at"]
    told = people.events("user_registered")[0]
    assert (vars(found[0].data), found[0].personal) == (told["data"], told["personal"])


def test_every_copy_can_be_compared(people: Any) -> None:
    user = people.register()
    set_user_markup(people.db, user_id=user["id"], percentage=Decimal(1), now=people.now)
    for service in ("referrals", "commission", "trades", "billing", "notifications", "audit"):
        assert people.rows(FACTS[f"user_copy_{service}"]) == [(user["id"], "2")]
