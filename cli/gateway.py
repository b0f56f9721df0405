"""Run one worker of the HTTP gateway."""

from __future__ import annotations

import argparse

from cli import common
from shared.settings import production


def main(argv: list[str]) -> int:
    """Runs until SIGTERM."""
    options = argparse.ArgumentParser(prog="nexus gateway", description=__doc__)
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=8000)
    options.add_argument("--fd", type=int, default=None, help="an inherited listening socket, instead of host and port")
    chosen = options.parse_args(argv)
    if problems := production.problems(signs=False):
        return common.fail("; ".join(problems))
    from gateway.server import main as serve

    return serve(host=chosen.host, port=chosen.port, fd=chosen.fd)
