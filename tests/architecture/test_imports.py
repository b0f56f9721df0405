"""Who may import whom: import-linter keeps the contracts of pyproject.toml, and each of them bites."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from shared.devstack.registry import SERVICES

ROOT = Path(__file__).resolve().parents[2]

BREACHES = {
    "services/trades/trades/commands/quote.py": "import billing.models",
    "services/billing/billing/utils.py": "",
    "services/trades/trades/rules.py": "import trades.models",
    "shared/contracts/money.py": "import shared.utils.ids",
    "shared/chassis/outbox.py": "import shared.contracts.trades.events",
    "shared/utils/time.py": "import shared.chassis.context",
    "services/users/users/queries.py": "import nameko",
    "client/http.py": "import shared.utils.ids",
}


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    roots = [root, root / "gateway", *(root / "services" / service for service in SERVICES)]
    return subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())"],
        cwd=root,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, roots)),
            "PYTHONWARNINGS": "ignore",
            "COLUMNS": "250",
        },
        capture_output=True,
        text=True,
        check=False,
    )


def copied(folder: Path) -> Path:
    services = [f"services/{service}/{service}" for service in SERVICES]
    for part in ("shared", "cli", "client", "gateway/gateway", *services):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "tests"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_every_import_keeps_the_rules() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_rule_notices_its_breach(tmp_path: Path) -> None:
    root = copied(tmp_path)
    for path, line in BREACHES.items():
        with (root / path).open("a") as file:
            file.write(f"\n{line}\n")
    report = lint(root).stdout
    assert "0 kept" in report, report
    for found in (
        "trades.commands.quote -> billing.models",
        "billing.utils",
        "trades.rules -> trades.models",
        "shared.contracts.money -> shared.utils.ids",
        "shared.chassis.outbox -> shared.contracts.trades.events",
        "shared.utils.time -> shared.chassis.context",
        "users.queries -> nameko",
        "client.http -> shared.utils.ids",
    ):
        assert found in report, report
