"""The verifier computes what the engine computed, alone, and says what it found."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trades.market import verifier
from trades.market.engine import HOUR, Path
from trades.market.symbols import ALL

GOLDEN: dict[str, Any] = {
    "format": "nexus-trade-proof/1",
    "contract": {
        "contract_id": "c",
        "symbol": "1HZ100V",
        "contract_type": "CALL",
        "barrier": "+0.37",
        "currency": "USD",
        "stake": "10.00",
        "payout": "19.54",
        "duration_seconds": 3,
        "duration_ticks": 3,
        "bought_at": "2026-02-16T03:59:58.250000Z",
        "starts_at": "2026-02-16T03:59:59Z",
        "expires_at": "2026-02-16T04:00:02Z",
    },
    "settlement": {"result": "won", "paid": "19.54", "barrier": "2370.64", "sold_at": None, "commission": None},
    "entry": {"at": "2026-02-16T03:59:59Z", "spot": "2370.27"},
    "exit": {"at": "2026-02-16T04:00:02Z", "spot": "2371.57"},
    "ticks": [
        {"at": "2026-02-16T03:59:59Z", "spot": "2370.27"},
        {"at": "2026-02-16T04:00:00Z", "spot": "2370.61"},
        {"at": "2026-02-16T04:00:01Z", "spot": "2371.44"},
        {"at": "2026-02-16T04:00:02Z", "spot": "2371.57"},
    ],
    "hours": [
        {
            "hour": 492002,
            "commitment": "4000e8397e278906e82713f1a4608c4d2674c3cb1c2262f2b3217ffbf49598b2",
            "committed_at": "2026-02-16T01:00:00Z",
            "seed": "6079a0b5ddfcd79c59c032f09d0b0e3ca0c4cb6e127bd5ad01d46109db0ec3f4",
            "opening": "2436.5343366586962",
        },
        {
            "hour": 492003,
            "commitment": "562dc13c71fa65513fd2888ec3a6025bf1e3b4a94efab48cfec884f6b7fb3a7d",
            "committed_at": "2026-02-16T02:00:00Z",
            "seed": "02c3ff5c12ba533ab48de23371ae536170dc0cb8dd95a3c52f5b80e012b86a20",
            "opening": "2386.2283014180125",
        },
        {
            "hour": 492004,
            "commitment": "0ab41c24bacdb1698c6322c79358ba7170ff31595cc718500375d95658b3aae2",
            "committed_at": "2026-02-16T03:00:00Z",
            "seed": "e1524d4cf74ef3fa0cb5fbc89a6200483231c231f413247a4e67b1422ea3694b",
            "opening": "2370.613719301331",
        },
    ],
}
"""A proof as it was given once: it is right for ever, so prices and format cannot change unnoticed."""


@pytest.fixture
def proof():
    return copy.deepcopy(GOLDEN)


@given(
    code=st.sampled_from(list(ALL)),
    seed=st.binary(min_size=32, max_size=32),
    opening=st.floats(1, 1e6),
    data=st.data(),
)
def test_verifier_and_engine_agree_to_the_last_bit(code, seed, opening, data):
    last = HOUR // ALL[code].interval
    tick = data.draw(st.sampled_from([0, 1, last - 1, last]) | st.integers(0, last))
    one = Path(ALL[code], seed=seed, opening=Decimal(repr(opening)))
    assert verifier.price(code, seed, repr(opening), tick) == one.price(tick)
    assert verifier.level(code, seed, repr(opening), tick) == one._level(tick)
    assert repr(verifier.level(code, seed, repr(opening), last)) == str(one.closing())


def test_a_proof_that_was_given_once_stays_right(proof):
    assert verifier.verify(proof) == ([], [])


@pytest.mark.parametrize("part", list(GOLDEN))
def test_a_proof_without_a_part_is_none(proof, part):
    del proof[part]
    assert verifier.verify(proof)[0] != []


@pytest.mark.parametrize("wrong", [None, [], "x", 7, {}, {"format": "nexus-trade-proof/2"}])
def test_something_else_is_no_proof(wrong):
    assert verifier.verify(wrong)[0] != []


@pytest.mark.parametrize("part", ["ticks", "hours"])
@pytest.mark.parametrize("cut", [slice(1, None), slice(None, -1), slice(0)])
def test_ticks_and_hours_must_be_whole(proof, part, cut):
    proof[part] = proof[part][cut]
    assert verifier.verify(proof)[0] != []


def run(tmp_path, *contents) -> subprocess.CompletedProcess[str]:
    """The verifier as somebody runs it: the file alone, without anything of ours."""
    alone = tmp_path / "verifier.py"
    shutil.copy(verifier.__file__, alone)
    names = []
    for number, content in enumerate(contents):
        (tmp_path / f"{number}.json").write_text(content)
        names.append(str(tmp_path / f"{number}.json"))
    asked = [sys.executable, "-I", str(alone), *names]
    return subprocess.run(asked, capture_output=True, text=True, check=False, cwd=tmp_path)


def test_it_runs_alone_and_says_that_all_is_right(tmp_path, proof):
    done = run(tmp_path, json.dumps(proof))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("RIGHT: 1HZ100V, entry 2370.27, exit 2371.57: won, 19.54 USD.\n")
    assert "Compare the commitments" in done.stdout


@pytest.mark.parametrize("wrap", [lambda known: known, lambda known: {"results": known}])
def test_commitments_that_were_kept_are_compared(tmp_path, proof, wrap):
    known = [{"hour": hour["hour"], "commitment": hour["commitment"]} for hour in proof["hours"]]
    done = run(tmp_path, json.dumps(proof), json.dumps(wrap(known)))
    assert (done.returncode, done.stdout.count("\n")) == (0, 1)
    known[0]["commitment"] = "00" * 32
    done = run(tmp_path, json.dumps(proof), json.dumps(wrap(known)))
    assert (done.returncode, done.stderr) == (1, "")
    assert "The published commitment of hour 492002 is 0000" in done.stdout
    done = run(tmp_path, json.dumps(proof), json.dumps(wrap(known[1:])))
    assert (done.returncode, done.stderr) == (1, "")
    assert "The published commitment of hour 492002 is None" in done.stdout


def test_it_says_what_is_wrong(tmp_path, proof):
    proof["exit"]["spot"] = "2371.58"
    done = run(tmp_path, json.dumps(proof))
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines() == [
        "At 2026-02-16T04:00:02Z the price was 2371.57.",
        "WRONG: the trade does not follow from its seeds.",
    ]


@pytest.mark.parametrize("contents", [[], ["not json"], ["{}", "[1]"]])
def test_it_says_what_it_cannot_read(tmp_path, contents):
    done = run(tmp_path, *contents)
    assert (done.returncode, done.stderr) == (1, "")
    assert "python verifier.py PROOF" in done.stdout
