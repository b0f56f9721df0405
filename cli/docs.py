"""Write the documents that follow from the code. With --check: are they up to date?"""

from __future__ import annotations

import argparse
import sys

from cli import common
from cli.documents import asyncapi, inventory, published, readmes, reference, settings

WRITERS = (reference, settings, asyncapi, published, readmes, inventory)


def main(argv: list[str]) -> int:
    """Exit 1 with --check when a document is stale, missing, or describes what is no more; and when one cannot be."""
    options = argparse.ArgumentParser(prog="nexus docs", description=__doc__)
    options.add_argument("--check", action="store_true")
    chosen = options.parse_args(argv)
    written, problems = documents()
    stale = [name for name, text in written.items() if _present(name) != text]
    gone = [name for name in published_files() if name not in written]
    for problem in problems:
        common.fail(problem)
    if chosen.check:
        for name in (*stale, *gone):
            print(f"nexus: stale: {name}", file=sys.stderr)
        return common.fail("documents do not follow from the code", "./nexus docs") if stale or gone or problems else 0
    for name in stale:
        path = common.ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(written[name])
        print(f"nexus: wrote {name}")
    for name in gone:
        (common.ROOT / name).unlink()
        print(f"nexus: removed {name}")
    return 1 if problems else 0


def documents() -> tuple[dict[str, str], list[str]]:
    """Text by path from the project's folder, and why some cannot be written."""
    written: dict[str, str] = {}
    problems: list[str] = []
    for writer in WRITERS:
        try:
            written |= dict(writer.written())
        except (readmes.Unmarked, inventory.Lost) as problem:
            problems.append(str(problem))
    return written, problems


def published_files() -> list[str]:
    """Every file of the folder that holds nothing but generated ones."""
    return [str(path.relative_to(common.ROOT)) for path in sorted((common.ROOT / published.FOLDER).glob("*.json"))]


def _present(name: str) -> str | None:
    path = common.ROOT / name
    return path.read_text() if path.exists() else None
