"""A refusal of any owner is shown with its own title."""

from __future__ import annotations

from typing import Any

from shared.contracts.trades.errors import ProofNotReady
from shared.utils.ids import new_id


def test_an_owners_refusal_has_its_own_title(worker: Any, fake_service: Any, as_user: Any) -> None:
    def get_proof(**_: Any) -> None:
        raise ProofNotReady(extra={"available_at": "2026-01-01T01:00:00Z"})

    fake_service("trades", get_proof=get_proof)
    answer = worker.get(f"/trades/{new_id()}/proof", as_user)
    assert (answer.status, answer.body["code"]) == (409, "proof_not_ready")
    assert answer.body["title"] == ProofNotReady.title
    assert answer.body["available_at"] == "2026-01-01T01:00:00Z"
