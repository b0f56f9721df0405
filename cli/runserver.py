"""The same as `up` in the foreground, by the name that the monolith used."""

from __future__ import annotations

from cli import up


def main(argv: list[str]) -> int:
    """Takes the options of `up`, and as the monolith did a port or address:port."""
    if argv and not argv[0].startswith("-"):
        argv = ["--port", argv[0].rpartition(":")[2], *argv[1:]]
    return up.main(argv)
