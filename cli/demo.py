"""The whole story on a running stack, or on one that is started for it: exit 0 when every cent adds up."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from cli import common
from cli.stacks import a_stack


def main(argv: list[str]) -> int:
    """Exit 1 if something does not add up or does not happen."""
    options = common.parser("demo", __doc__)
    options.add_argument("--json", action="store_true", help="for programs")
    chosen = options.parse_args(argv)
    from client.http import Http, NoAnswer, Unexpected
    from client.person import Person
    from client.story import Story, Stuck

    begun = time.monotonic()

    def tell(text: str) -> None:
        if not chosen.json:
            print(f"  {time.monotonic() - begun:5.1f} s  {text}", flush=True)

    with a_stack(chosen.state, say=lambda text: print(f"nexus: {text}", file=sys.stderr)) as stack:
        begun = time.monotonic()
        http = Http(stack.port)
        story = None
        try:
            staff = Person(http, stack.staff["username"], stack.staff["password"])
            staff.log_in()
            story = Story(http, staff, tell)
            story.run()
            problem = ""
        except (Stuck, Unexpected, NoAnswer) as error:
            problem = f"{type(error).__name__}: {error}"
        finally:
            http.close()
        report: dict[str, Any] = story.report() if story else {"ok": False}
        report["seconds"] = round(time.monotonic() - begun, 1)
        report["verify"] = stack.verify()
    if problem:
        report |= {"ok": False, "problem": problem}
    report["ok"] = report["ok"] and report["verify"]["ok"]
    if chosen.json:
        print(json.dumps(report, indent=2))
    else:
        _show(report)
    return 0 if report["ok"] else 1


def _show(report: dict[str, Any]) -> None:
    if report.get("after"):
        print(f"\n  {'account':<14}{'before':>12}{'after':>12}   USD")
        for name, before in report["before"].items():
            print(f"  {name:<14}{before:>12}{report['after'][name]:>12}")
    print()
    for check in report.get("checks", []):
        print(f"  {'ok ' if check['ok'] else 'NO '}  {check['name']}: {check['found']}", end="")
        print("" if check["ok"] else f", and it should be {check['expected']}")
    verified = report["verify"]
    print(f"  {'ok ' if verified['ok'] else 'NO '}  verify: {len(verified['violations'])} violations")
    for violation in verified["violations"][:20]:
        print(f"       {violation['service']}.{violation['name']} {violation['id']} {violation['detail']}")
    if report.get("problem"):
        print(f"nexus: {report['problem']}", file=sys.stderr)
    print(f"nexus: {'everything adds up' if report['ok'] else 'it does NOT add up'} ({report['seconds']} s)")
