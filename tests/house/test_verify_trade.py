"""`verify-trade` checks a file, and `verify` samples of what is in the database."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli import verify
from services.trades.tests.test_market_verifier import GOLDEN
from shared.chassis.verification import Findings
from trades.market import proved

ROOT = Path(__file__).resolve().parents[2]


def verify_trade(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "verify-trade", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.fixture
def proof(tmp_path: Path) -> Any:
    """Writes a true proof with changes in its settlement; its file."""

    def write(**changes: Any) -> str:
        file = tmp_path / "proof.json"
        file.write_text(json.dumps({**GOLDEN, "settlement": {**GOLDEN["settlement"], **changes}}))
        return str(file)

    return write


def test_a_true_proof_is_right_and_any_other_is_wrong(proof: Any, tmp_path: Path) -> None:
    code, said = verify_trade(proof())
    assert (code, said.partition(",")[0]) == (0, "RIGHT: 1HZ100V")
    code, said = verify_trade(proof(paid="19.55"))
    assert (code, "It pays 19.54, not 19.55." in said) == (1, True)
    assert verify_trade(str(tmp_path / "nothing.json"))[0] == 1


def test_commitments_that_were_kept_are_compared(proof: Any, tmp_path: Path) -> None:
    kept = tmp_path / "seeds.json"
    known = [{"hour": hour["hour"], "commitment": hour["commitment"]} for hour in GOLDEN["hours"]]
    kept.write_text(json.dumps({"results": known, "has_more": False, "next": None}))
    assert verify_trade(proof(), str(kept))[0] == 0
    known[1]["commitment"] = "0" * 64
    kept.write_text(json.dumps(known))
    assert verify_trade(proof(), str(kept))[0] == 1


def test_verify_counts_proofs_and_names_the_wrong_ones(
    database: Any, databases: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    database("trades")
    found = Findings()
    verify._prove(databases.url("trades", "nexus_verify"), found)
    assert (found.checked, found.violations) == ({"proofs": 0}, [])
    monkeypatch.setattr(proved, "wrong_proofs", lambda db, **_: (3, {"a-trade": "It pays 1, not 2."}))
    verify._prove(databases.url("trades", "nexus_verify"), found)
    assert found.checked == {"proofs": 3}
    assert [(one.service, one.name, one.id, one.detail) for one in found.violations] == [
        ("trades", "proof", "a-trade", "It pays 1, not 2.")
    ]
