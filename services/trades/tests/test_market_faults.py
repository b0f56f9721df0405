"""Faults on demand: read from their setting, repeated by their seed, refused in prod."""

from __future__ import annotations

import pytest

from shared.settings.env import EnvConfig, SettingError
from trades.market.faults import Fault, Faults, faults
from trades.market.faulty import faults_of


def test_the_same_seed_meets_the_same_faults():
    one, same, other = (faults(f"drop=0.5,seed={seed}") for seed in (1, 1, 2))
    subjects = [("buy", f"trade {n}") for n in range(400)]
    struck = [one.strikes("drop", *subject) is not None for subject in subjects]
    assert struck == [same.strikes("drop", *subject) is not None for subject in subjects]
    assert struck != [other.strikes("drop", *subject) is not None for subject in subjects]
    assert 150 < sum(struck) < 250


def test_faults_are_read_from_their_setting():
    found = faults("drop=1, delay=0.05:200ms,late_result=.5:7s,disconnect=0,seed=a b")
    assert found == Faults(
        seed="a b",
        rates={
            "drop": Fault(rate=1, seconds=0),
            "delay": Fault(rate=0.05, seconds=0.2),
            "late_result": Fault(rate=0.5, seconds=7),
            "disconnect": Fault(rate=0, seconds=0),
        },
    )
    assert faults_of(EnvConfig({})) is None


@pytest.mark.parametrize(
    "text", ["drop", "drop=2", "drop=-1", "drip=1", "drop=1:3s", "delay=1:3", "drop=1,drop=0", ","]
)
def test_nonsense_is_refused(text):
    with pytest.raises(SettingError):
        faults_of(EnvConfig({"MARKET_FAULTS": text}))


def test_prod_refuses_faults():
    assert faults_of(EnvConfig({"MARKET_FAULTS": "drop=1", "NEXUS_ENV": "test"})) is not None
    with pytest.raises(SettingError):
        faults_of(EnvConfig({"MARKET_FAULTS": "drop=1", "NEXUS_ENV": "prod"}))
