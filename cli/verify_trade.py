"""Check the proof of a trade, from the file alone: GET /api/v1/trades/{id}/proof gives it. Exit 0: right, 1: wrong."""

from __future__ import annotations

import argparse

from trades.market import verifier


def main(argv: list[str]) -> int:
    """The same as `python services/trades/trades/market/verifier.py FILE`, which needs nothing else of ours."""
    options = argparse.ArgumentParser(prog="nexus verify-trade", description=__doc__)
    options.add_argument("proof", metavar="FILE", help="the proof, as JSON")
    options.add_argument(
        "published", nargs="?", metavar="COMMITMENTS", help="what GET /api/v1/market/seeds said before the hours began"
    )
    chosen = options.parse_args(argv)
    return verifier.main([name for name in (chosen.proof, chosen.published) if name is not None])
