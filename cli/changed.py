"""Which tests to run after a change: those of the part, and those of the house, which are quick and see everything."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path

from cli import common
from shared.devstack.registry import SERVICES

ALWAYS = ("tests/architecture", "tests/contracts", "tests/house")
"""What is true of the whole tree."""


def tests_of(paths: Iterable[str]) -> list[str]:
    """Folders and files of tests for changed files, by their paths in the project."""
    found: dict[str, None] = dict.fromkeys(ALWAYS)
    for path in map(Path, sorted(paths)):
        if path.name.startswith("test_") and path.suffix == ".py":
            found[str(path)] = None
        else:
            found |= dict.fromkeys(_folders(path.parts))
    # A file in a folder that runs anyway would run twice.
    return [one for one in found if not any(one != other and one.startswith(f"{other}/") for other in found)]


def changed(since: str) -> list[str]:
    """What differs from a commit in the working tree, and what git does not know yet. Raises CalledProcessError."""
    commands = (["diff", "--name-only", "-z", since], ["ls-files", "--others", "--exclude-standard", "-z"])
    found: set[str] = set()
    for command in commands:
        done = subprocess.run(["git", *command], cwd=common.ROOT, capture_output=True, text=True, check=True)
        found |= set(filter(None, done.stdout.split("\0")))
    return sorted(found)


def _folders(parts: tuple[str, ...]) -> list[str]:
    if parts[0] == "services" and len(parts) > 1:
        return [f"services/{parts[1]}/tests"]
    if parts[0] == "gateway":
        return ["gateway/tests"]
    if parts[:2] == ("shared", "contracts"):
        owners = [f"services/{parts[2]}/tests", "gateway/tests"] if parts[2] in SERVICES else []
        return ["shared/tests/contracts", *owners]
    if parts[0] == "shared" and len(parts) > 1:
        return [f"shared/tests/{parts[2] if parts[1] == 'tests' and len(parts) > 2 else parts[1]}"]
    if parts[0] == "tests" and len(parts) > 2:
        return ["/".join(parts[:2])]
    return []
