"""Each hour's hash is public before it begins, and its seed once it is over."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

from shared.contracts.errors import ValidationFailed
from shared.contracts.trades.market import ListSeedsRequest
from shared.utils.time import from_rfc3339
from trades.market import public
from trades.market.engine import hour_of
from trades.market.hours import seed_of


@pytest.fixture
def seeds(desk, clock):
    """Seven hours of the market, seen in the middle of the last one."""
    for _ in range(6):
        clock.go(3600)
        desk.market.prepare(now=clock.now)

    def ask(**changes):
        return public.list_seeds(ListSeedsRequest(**changes), db=desk.db, now=clock.now)

    return ask


def test_a_seed_is_told_when_its_hour_is_over_and_its_hash_an_hour_before(clock, seeds):
    present = hour_of(clock.now)
    page = seeds()
    assert [one["hour"] for one in page["results"]] == list(range(present + 1, present - 7, -1))
    assert [one["seed"] for one in page["results"][:2]] == [None, None]
    for one in page["results"][2:]:
        assert one["seed"] == seed_of("tests")(one["hour"]).hex()
        assert hashlib.sha256(bytes.fromhex(one["seed"])).hexdigest() == one["commitment"]
        assert from_rfc3339(one["ends_at"]) - from_rfc3339(one["begins_at"]) == timedelta(hours=1)
    before = {one["hour"]: one["commitment"] for one in page["results"]}
    assert from_rfc3339(page["results"][0]["committed_at"]) < from_rfc3339(page["results"][0]["begins_at"])
    clock.now = clock.now.replace(minute=59, second=59, microsecond=999_999)
    assert seeds()["results"][1]["seed"] is None
    clock.go(0.000001)
    (over,) = seeds(first=present, last=present)["results"]
    assert over["seed"] == seed_of("tests")(present).hex()
    assert over["commitment"] == before[present]


def test_seeds_come_in_pages(clock, seeds):
    present, found, after = hour_of(clock.now), [], None
    while True:
        page = seeds(limit=3, after=after, first=present - 5)
        found += [one["hour"] for one in page["results"]]
        after = page["next"]
        assert page["has_more"] is (after is not None)
        if after is None:
            break
    assert found == list(range(present + 1, present - 6, -1))
    assert seeds(first=present + 2)["results"] == []
    with pytest.raises(ValidationFailed):
        seeds(after="nonsense")
    cursor = seeds(limit=1)["next"]
    with pytest.raises(ValidationFailed):
        seeds(limit=1, after=cursor, last=present)
