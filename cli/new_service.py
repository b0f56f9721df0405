"""Make a service that does one small thing and passes every check: its package, contract, tests, and its place in the
lists. What to do next is in docs/how-to/add-a-service.md."""

from __future__ import annotations

import argparse
import importlib.util
import keyword
import re
import subprocess
import sys
from pathlib import Path

from cli import common
from shared.devstack.registry import SERVICES

TEMPLATES = Path(__file__).parent / "templates" / "service"
LIKE = "notifications"
"""What is the same for every service is taken from this one: image, locked packages, alembic's own settings."""
COPIED = ("Dockerfile", "requirements.txt", "pyproject.toml", "alembic.ini", "migrations/env.py")


def main(argv: list[str]) -> int:
    """Exit 1 with the reason when the name cannot be a service's."""
    options = argparse.ArgumentParser(prog="nexus new-service", description=__doc__)
    options.add_argument("name", help="one lower-case word, as in `./nexus new-service alerts`")
    name = options.parse_args(argv).name
    if problem := name_problem(name):
        return common.fail(f"{name}: {problem}")
    made = [*_from_templates(name), *_like_another(name)]
    _enlist(name)
    _tidy(made)
    print(f"nexus: services/{name} and shared/contracts/{name} are made; next: docs/how-to/add-a-service.md")
    return 0


def name_problem(name: str) -> str | None:
    """Why a service cannot be called so, or None."""
    if not re.fullmatch(r"[a-z]{3,20}", name):
        return "3 to 20 lower-case letters: it names a package, a database and a broker user"
    if name in SERVICES:
        return "there is such a service"
    if keyword.iskeyword(name) or importlib.util.find_spec(name) is not None or name == "sample":
        return "Python knows something else by that name"
    return None


def named(text: str, name: str, old: str = "sample") -> str:
    """`text` about `name` in the place of `old`, in small letters, as a class, and in capitals."""
    for before, after in ((old, name), (old.capitalize(), name.capitalize()), (old.upper(), name.upper())):
        text = re.sub(rf"(?<![a-zA-Z]){before}(?![a-z])", after, text)
    return text


def _from_templates(name: str) -> list[Path]:
    made = []
    places = {"service": common.ROOT / "services" / name, "contracts": common.ROOT / "shared" / "contracts" / name}
    for part, place in places.items():
        for template in sorted((TEMPLATES / part).rglob("*.tmpl")):
            path = place / named(str(template.relative_to(TEMPLATES / part)), name).removesuffix(".tmpl")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(named(template.read_text(), name))
            made.append(path)
    return made


def _like_another(name: str) -> list[Path]:
    source, target = common.ROOT / "services" / LIKE, common.ROOT / "services" / name
    made = []
    for file in COPIED:
        if (source / file).exists():
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            text = named((source / file).read_text(), name, LIKE)
            (target / file).write_text(re.sub(r'(?m)^description = ".*"$', 'description = "A new service."', text))
            made.append(target / file)
    return made


def _enlist(name: str) -> None:
    """Writes the service behind the last one wherever services are listed."""
    last = list(SERVICES)[-1]
    registry = common.ROOT / "shared" / "devstack" / "registry.py"
    line = f'    "{last}": "{last}.service:{last.capitalize()}Service",\n'
    registry.write_text(registry.read_text().replace(line, line + named(line, name, last)))
    for file in ("pyproject.toml", "gateway/gateway/settings.py"):
        path = common.ROOT / file
        forms = ("{}", "services/{}", "services/{0}/{0}", "$MYPY_CONFIG_FILE_DIR/services/{}", "shared.contracts.{}")
        text = path.read_text()
        for form in forms:
            quoted = f'"{form.format(last)}"'
            text = re.sub(rf"{re.escape(quoted)}(?=[,\])])", f'{quoted}, "{form.format(name)}"', text)
        path.write_text(text)
    compose = common.ROOT / "docker-compose.yml"
    if compose.exists():
        compose.write_text(in_compose(compose.read_text(), name, last))


def in_compose(text: str, name: str, last: str) -> str:
    """The file with a service more: its addresses behind the last one's wherever those are, and a block as LIKE has."""
    of_last = re.compile(rf"      {last.upper()}_(OWNER_|RELAY_)?(DB|AMQP)_URL: ")
    before, head, rest = text.partition(f"\n  {last}:\n")
    own, gap, after = rest.partition("\n\n")
    lines: list[str] = []
    for line in before.split("\n"):
        lines += [line, named(line, name, last)] if of_last.match(line) else [line]
    like = text.partition(f"\n  {LIKE}:\n")[2].partition("\n\n")[0]
    block = f"\n\n  {name}:\n" + named(like, name, LIKE)
    after = re.sub(rf"(?m)(depends_on: \[.*\b{last})\]$", rf"\1, {name}]", after)
    return "\n".join(lines) + head + own + block + gap + after


def _tidy(made: list[Path]) -> None:
    """Imports are sorted by name, and lines have another length, once the name is known."""
    python = [str(path) for path in made if path.suffix == ".py"]
    for arguments in (["check", "--quiet", "--fix-only", "--select", "I"], ["format", "--quiet"]):
        subprocess.run([sys.executable, "-m", "ruff", *arguments, *python], cwd=common.ROOT, check=False)
