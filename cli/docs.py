"""Write the documents that follow from the code. With --check: are they up to date?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from cli import common
from cli.documents import asyncapi, inventory, published, readmes, reference, settings

WRITERS = (reference, settings, asyncapi, published, readmes, inventory)


def main(argv: list[str]) -> int:
    """Exit 1 with --check when a document is stale, missing, or describes what is no more; and when one cannot be."""
    options = argparse.ArgumentParser(prog="nexus docs", description=__doc__)
    options.add_argument("--check", action="store_true")
    chosen = options.parse_args(argv)
    try:
        written = dict(documents())
    except readmes.Unmarked as unmarked:
        return common.fail(str(unmarked))
    except inventory.Lost as lost:
        return common.fail(str(lost), f"say in {inventory.PLACES} where it is")
    stale = [name for name, text in written.items() if _present(name) != text]
    gone = [name for name in published_files() if name not in written]
    if chosen.check:
        for name in (*stale, *gone):
            print(f"nexus: stale: {name}", file=sys.stderr)
        return common.fail("generated documents are stale", "./nexus docs") if stale or gone else 0
    for name in stale:
        path = common.ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(written[name])
        print(f"nexus: wrote {name}")
    for name in gone:
        (common.ROOT / name).unlink()
        print(f"nexus: removed {name}")
    return 0


def documents() -> Iterator[tuple[str, str]]:
    """Path, from the project's folder, and text of each."""
    for writer in WRITERS:
        yield from writer.written()


def published_files() -> list[str]:
    """Every file of the folder that holds nothing but generated ones."""
    return [str(path.relative_to(common.ROOT)) for path in sorted((common.ROOT / published.FOLDER).glob("*.json"))]


def _present(name: str) -> str | None:
    path = common.ROOT / name
    return path.read_text() if path.exists() else None
