"""What people type: make, the launcher's verbs, hooks and the script that decides are what their help says."""

from __future__ import annotations

import re
import subprocess
from importlib import import_module
from pathlib import Path

import yaml

import manage

ROOT = Path(__file__).resolve().parents[2]
PROMISED = {
    *("setup", "test", "fast", "lint", "types", "fmt", "docs", "new-service", "new-migration", "up", "demo", "chaos"),
}


def test_make_alone_lists_the_habits() -> None:
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = set(re.findall(r"^  make ([a-z-]+) ", listed, re.MULTILINE))
    assert found >= PROMISED
    declared = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert found == set(declared)
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) == set(declared)


def test_each_verb_is_a_file_and_each_file_a_verb() -> None:
    for verb in {*manage.VERBS, *manage.HIDDEN}:
        module = import_module(f"cli.{verb.replace('-', '_')}")
        assert callable(module.main), verb
    mains = {
        path.stem.replace("_", "-") for path in (ROOT / "cli").glob("*.py") if "\ndef main(argv" in path.read_text()
    }
    assert mains == {*manage.VERBS, *manage.HIDDEN}


def test_hooks_fetch_nothing_and_run_programs_of_ours() -> None:
    text = (ROOT / ".pre-commit-config.yaml").read_text()
    assert "://" not in text
    for repository in yaml.safe_load(text)["repos"]:
        assert repository["repo"] == "local"
        for hook in repository["hooks"]:
            assert hook["language"] == "system"
            assert hook["entry"].startswith((".venv/bin/", "./nexus ")), hook["id"]


def test_what_must_pass_ends_with_the_tests_and_says_how_long_each_part_took() -> None:
    lines = [line for line in (ROOT / ".ci" / "run").read_text().splitlines() if line.strip()]
    assert lines[-1] == 'exec ./nexus test "$@"'
    steps = [line.split('"')[1] for line in lines if line.startswith("step ")]
    assert {"lint", "format", "types", "import rules", "generated documents", "migrations"} <= set(steps)
    assert any("SECONDS" in line for line in lines)
