"""What must be true of every file of the tree."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 250

LONGER = {
    "benchmarks/rpc_hop.py": "one comparison of three clients, read from top to bottom",
    "docs/inventory.md": "generated: one row a name",
    "services/billing/tests/test_ledger.py": "what the ledger refuses and keeps, one test each",
    "services/trades/tests/conftest.py": "fakes of the neighbour and the market, used together",
    "services/trades/tests/test_open_trade.py": "every way an opening can end, side by side",
    "shared/devstack/supervisor.py": "one loop over one state",
}
"""Files that are longer, and why they are one thing. Two things become two files."""

# Written so that they do not find themselves.
MACHINE_PATHS = re.compile(r"(?<![\w.}])/(wor[k]|roo[t]|far[m]|hom[e]/\w+|User[s]/\w+)/")
REGISTRIES = re.compile(
    r"pyp[i][.]org|pythonhoste[d][.]|npmj[s][.]|de[b][.]debian|--(extra-)?index-ur[l]|--find-link[s]"
)
UNFINISHED = re.compile(r"\b(TOD[O]|FIXM[E]|XX[X])\b|type: ignor[e]$|noq[a]$")


@cache
def files() -> tuple[Path, ...]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(sorted({ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()}))


def named(*suffixes: str) -> list[Path]:
    return [path for path in files() if path.suffix in suffixes]


def length(path: Path) -> int:
    return len(path.read_text().splitlines())


def test_no_file_is_too_long_to_read() -> None:
    long = {str(p.relative_to(ROOT)): length(p) for p in named(".py", ".sql", ".md") if length(p) > LONGEST}
    assert {name: lines for name, lines in long.items() if name not in LONGER} == {}


def test_the_list_of_long_files_is_true() -> None:
    assert {name for name in LONGER if not (ROOT / name).is_file() or length(ROOT / name) <= LONGEST} == set()


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(MACHINE_PATHS, id="paths of one machine"),
        pytest.param(REGISTRIES, id="registry hosts"),
        pytest.param(UNFINISHED, id="unfinished or silenced without a reason"),
    ],
)
def test_nothing_of_it_is_in_the_tree(pattern: re.Pattern[str]) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in files()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("name", ["base", "dev", "prod"])
def test_a_lock_names_versions_and_hashes_and_no_address(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    assert "://" not in text
    packages = re.findall(r"^\S.*$", re.sub(r"\\\n", " ", re.sub(r"(?m)^\s*#.*\n", "", text)), re.MULTILINE)
    assert len(packages) > 20
    assert [line for line in packages if not re.search(r"^[\w.\[\]-]+==\S+.*--hash=sha256:[0-9a-f]{64}", line)] == []


def test_tests_folders_are_no_packages() -> None:
    assert [path for path in files() if path.name == "__init__.py" and "tests" in path.relative_to(ROOT).parts] == []
