"""Whether the processes of this container are well: exit 0, or 1 with what is wrong. For the container engine.

Reads what they write of themselves into HEALTH_DIR (shared/chassis/health_file.py), or asks the gateway with --url.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

# A report is written each second; one that is older belongs to a process that is frozen or gone.
_FRESH_SECONDS = 10.0


def main(argv: list[str]) -> int:
    """Says nothing when all is well."""
    options = argparse.ArgumentParser(prog="nexus health", description=__doc__)
    options.add_argument("--url", help="expects 200 from this address instead")
    chosen = options.parse_args(argv)
    problem = of_url(chosen.url) if chosen.url else of_files(Path(os.environ.get("HEALTH_DIR", "")), now=time.time())
    if problem is None:
        return 0
    print(problem, file=sys.stderr)
    return 1


def of_files(folder: Path, *, now: float) -> str | None:
    """What is wrong with any process that reports in `folder`, or None. `now` is in seconds since the epoch."""
    reports = sorted(folder.glob("*.json"))
    if not reports:
        return f"no process reports in {folder}"
    for path in reports:
        report = json.loads(path.read_text())
        if not report["healthy"]:
            return f"{path.stem}: {report['detail']}"
        if now - report["at"] > _FRESH_SECONDS:
            return f"{path.stem}: silent for {now - report['at']:.0f} s"
    return None


def of_url(url: str) -> str | None:
    """What is wrong with the answer of `url`, or None."""
    # The gateway refuses requests that name a host which is not among these.
    host, *_ = (os.environ.get("ALLOWED_HOSTS") or "").split(",")
    headers = {"Host": host.strip().replace("*", "health")} if host.strip() else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=4):  # noqa: S310  # ours
            return None
    except urllib.error.HTTPError as error:
        return f"{error.code}: {error.read()[:2000].decode(errors='replace')}"
    except OSError as error:
        return str(error)
