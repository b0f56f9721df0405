"""What a container's engine is told of the processes in it is the truth."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from cli.health import main, of_files
from shared.chassis.health_file import Report, write
from tests.compose.composed import ROOT


def well() -> Report:
    """As of now."""
    return Report.of("billing", {"database": None, "broker": None})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where processes report."""
    monkeypatch.setenv("HEALTH_DIR", str(tmp_path))
    return tmp_path


def report(name: str, of: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROCESS_NAME", name)
    write(of)


def test_all_that_report_well_now_are_well(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report("billing-1", well(), monkeypatch)
    report("billing-2", well(), monkeypatch)
    assert main([]) == 0


def test_one_that_says_it_is_not_is_named_with_what_it_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report("billing-1", well(), monkeypatch)
    report("billing-2", Report.of("billing", {"database": "gone away"}), monkeypatch)
    assert main([]) == 1
    said = capsys.readouterr().err
    assert "billing-2" in said
    assert "gone away" in said


def test_a_process_that_has_fallen_silent_is_not_well(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = well()
    report("billing", found, monkeypatch)
    assert of_files(folder, now=found.at + 5) is None
    assert of_files(folder, now=found.at + 15) == "billing: silent for 15 s"
    report("billing", replace(found, at=time.time() - 60), monkeypatch)
    assert main([]) == 1


def test_nobody_is_not_well(folder: Path) -> None:
    assert main([]) == 1


class Gateway(BaseHTTPRequestHandler):
    """Answers as the gateway does for one host."""

    status: ClassVar[int] = 200

    def do_GET(self) -> None:
        known = self.headers["Host"] in ("api.example.org", "health.example.org")
        self.send_response(self.status if known else 400)
        self.end_headers()
        self.wfile.write(b"billing is away")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Gateway)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/api/v1/health/ready"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("hosts", ["api.example.org", "*.example.org, other.example.org"])
def test_a_gateway_that_knows_its_hosts_is_asked_by_one_of_them(
    url: str, hosts: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["--url", url]) == 1
    monkeypatch.setenv("ALLOWED_HOSTS", hosts)
    assert main(["--url", url]) == 0


def test_what_the_gateway_finds_wrong_is_said(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", "api.example.org")
    monkeypatch.setattr(Gateway, "status", 503)
    assert main(["--url", url]) == 1
    assert capsys.readouterr().err == "503: billing is away\n"


def test_a_gateway_that_is_away_is_not_well() -> None:
    assert main(["--url", "http://127.0.0.1:1/"]) == 1


def test_it_is_asked_by_the_verb_that_images_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report("billing", well(), monkeypatch)
    assert subprocess.run([sys.executable, ROOT / "manage.py", "health"], timeout=20, check=False).returncode == 0
