"""The settings for operators: a reference, and the file to copy to `.env`."""

from __future__ import annotations

from collections.abc import Iterator

from shared.settings.declared import SECTIONS
from shared.settings.setting import Setting

READERS = {
    "all": "every process",
    "cli": "`./nexus`",
    "beside": "programs beside Nexus",
}


def written() -> Iterator[tuple[str, str]]:
    """The reference and the example."""
    yield "docs/reference/settings.md", reference()
    yield ".env.example", example()


def reference() -> str:
    """Every variable, by what it is about."""
    lines = ["# Settings", "", "Generated from `shared/settings/declared.py` by `./nexus docs`.", ""]
    lines += [
        "Environment variables, then the file that `NAME_FILE` names (a mounted secret), then `.env` in the project's",
        "folder. `./nexus check` says which of yours cannot be read, and which nobody reads.",
    ]
    for section in SECTIONS:
        lines += ["", f"## {section.title}", ""]
        lines += ["| variable | type | default | read by | meaning |", "|---|---|---|---|---|"]
        lines += [_row(setting) for setting in section.settings]
    return "\n".join(lines) + "\n"


def example() -> str:
    """What people set, commented out, with its default."""
    lines = ["# Settings are environment variables; this file may be copied to .env in the project's folder."]
    lines += ["# All of them, and who reads them: docs/reference/settings.md. NAME_FILE reads a value from a file."]
    for section in SECTIONS:
        if section.by_hand:
            lines += ["", f"# {section.title}"]
            lines += [_line(setting) for setting in section.settings]
    return "\n".join(lines) + "\n"


def _row(setting: Setting) -> str:
    kind = f"{setting.kind}, {setting.unit}" if setting.unit else setting.kind
    readers = ", ".join(READERS.get(reader, reader) for reader in setting.readers)
    name = setting.name.replace("*", "SERVICE")
    return f"| `{name}` | {kind} | {_default(setting)} | {readers} | {setting.meaning} |"


def _default(setting: Setting) -> str:
    if setting.default is None:
        return "-"
    plain = f"`{setting.default}`" if setting.default else "empty"
    return plain if setting.default_dev is None else f"{plain}; dev, test: `{setting.default_dev}`"


def _line(setting: Setting) -> str:
    dev = "" if setting.default_dev is None else f"dev, test: {setting.default_dev}"
    more = "; ".join(part for part in (setting.unit, dev) if part)
    assignment = f"# {setting.name}={setting.default or ''}"
    return f"{assignment:<40} # {setting.meaning}" + (f" ({more})" if more else "")
