"""The published contracts are those of the code, and follow from those that were committed before."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from cli import docs
from cli.documents import asyncapi, published, sources
from shared.contracts import schema
from shared.contracts.compatibility import breaks

ROOT = Path(__file__).resolve().parents[2]


def git(*arguments: str) -> bytes | None:
    """What git says; None when it has no answer: no repository, no such commit, no such folder then."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None


def committed(revision: str) -> dict[str, Any]:
    """The published contracts of a commit, by name; none where there were none."""
    packed = git("archive", "--format=tar", revision, published.FOLDER)
    if packed is None:
        return {}
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        return {
            Path(member.name).stem: json.load(file)
            for member in archive.getmembers()
            if member.name.endswith(".json") and (file := archive.extractfile(member)) is not None
        }


def present() -> dict[str, Any]:
    return {path.stem: json.loads(path.read_text()) for path in (ROOT / published.FOLDER).glob("*.json")}


def declared_breaks(changelog: str) -> set[str]:
    """Contracts that the unreleased part of the changelog says are broken: "- Breaks `billing.event.x`: why"."""
    unreleased = changelog.partition("## Unreleased")[2].partition("\n## ")[0]
    return set(re.findall(r"^- Breaks `([\w.]+)`: \S", unreleased, re.MULTILINE))


def previous() -> list[str]:
    """The commits that contracts are compared with: the last one, its parent, and where a branch left the main line."""
    bases = [base.decode().strip() for line in ("origin/HEAD", "main") if (base := git("merge-base", "HEAD", line))]
    return list(dict.fromkeys(["HEAD", "HEAD~1", *bases]))


def test_the_published_contracts_are_those_of_the_code() -> None:
    assert present() == json.loads(json.dumps(published.documents()))


@pytest.mark.parametrize("revision", previous())
def test_contracts_may_follow_from_those_that_were_committed(revision: str) -> None:
    declared = declared_breaks((ROOT / "CHANGELOG.md").read_text())
    found = [one for one in breaks(committed(revision), present()) if one.partition(":")[0] not in declared]
    assert not found, "a break is a new name (docs/how-to/add-an-event.md):\n" + "\n".join(found)


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository in whose second commit an event loses a field, and a clone of it without the first one."""
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    folder = origin / published.FOLDER
    folder.mkdir(parents=True)
    who = ["-c", "user.name=ada", "-c", "user.email=ada@example.org"]
    subprocess.run(["git", "init", "-q", origin], check=True)
    monkeypatch.setattr(sys.modules[__name__], "ROOT", origin)
    for number, fields in enumerate(
        ({"id": {"type": "string"}, "stake": {"type": "integer"}}, {"id": {"type": "string"}})
    ):
        document = {"type": "object", "properties": fields, "required": sorted(fields)}
        (folder / "trades.event.traded.json").write_text(json.dumps(document))
        subprocess.run(["git", *who, "add", "."], cwd=origin, check=True)
        subprocess.run(["git", *who, "commit", "-q", "-m", str(number)], cwd=origin, check=True)
    subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{origin}", clone], check=True)
    return clone


def test_a_break_is_found_in_the_history_and_a_clone_without_one_passes(
    history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = "trades.event.traded: stake: removed, and readers wait for it"
    assert breaks(committed("HEAD~1"), committed("HEAD")) == [reason]
    assert breaks(committed("HEAD~1"), present()) == [reason]
    assert committed("HEAD~7") == {}
    monkeypatch.setattr(sys.modules[__name__], "ROOT", history)
    assert list(committed("HEAD")) == ["trades.event.traded"]
    assert breaks(committed("HEAD~1"), present()) == []


def test_a_break_that_the_changelog_declares_is_one_line_with_its_reason() -> None:
    unreleased = "## Unreleased\n- Breaks `a.event.b`: nobody heard it\n- Breaks `a.event.c`:\n"
    assert declared_breaks(f"{unreleased}\n## 1.0\n- Breaks `a.event.d`: old\n") == {"a.event.b"}


@pytest.mark.parametrize("event", sources.events(), ids=lambda event: f"{event.owner}.{event.type}")
def test_an_example_survives_the_wire(event: Any) -> None:
    example = event.example()
    assert schema.load(event, json.loads(json.dumps(schema.dump(example)))) == example


def test_the_events_are_described_for_tools() -> None:
    document = json.loads(json.dumps(asyncapi.describe(sources.events())))

    def resolve(reference: str) -> Any:
        found: Any = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        return found

    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if "$ref" in node else []
            return own + [one for value in node.values() for one in references(value)]
        return [one for item in node for one in references(item)] if isinstance(node, list) else []

    assert all(resolve(reference) for reference in references(document))
    for event in sources.events():
        assert f"{event.owner}.send.{event.type}" in document["operations"]
        for reader in event.readers:
            assert document["operations"][f"{reader}.receive.{event.owner}.{event.type}"]["action"] == "receive"


def test_a_stale_or_forgotten_document_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(docs.common, "ROOT", tmp_path)
    monkeypatch.setattr(docs, "WRITERS", (published, asyncapi))
    assert docs.main([]) == 0
    assert docs.main(["--check"]) == 0
    folder = tmp_path / published.FOLDER
    (folder / "users.event.user_registered.json").write_text("{}")
    (folder / "users.event.forgotten.json").write_text("{}")
    (folder / "users.rpc.log_in.json").unlink()
    capsys.readouterr()
    assert docs.main(["--check"]) == 1
    said = capsys.readouterr().err
    for name in ("users.event.user_registered", "users.event.forgotten", "users.rpc.log_in"):
        assert f"stale: {published.FOLDER}/{name}.json" in said
    assert docs.main([]) == 0
    assert docs.main(["--check"]) == 0
    assert not (folder / "users.event.forgotten.json").exists()
