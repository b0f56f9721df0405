"""Make the next migration of a service: an empty SQL file, and the revision that runs it."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from cli import common
from shared.devstack.registry import SERVICES

_REVISION = '''"""{title}."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "{number}"
down_revision = "{before}"
branch_labels = None
depends_on = None

_SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    """Runs the file as it is: a percent sign in it is not a parameter."""
    sql = (_SQL / f"{{revision}}_{slug}.sql").read_text()
    op.get_bind().exec_driver_sql(sql, execution_options={{"no_parameters": True}})


def downgrade() -> None:
    """Takes it away again."""
    raise NotImplementedError("say here what undoes {number}_{slug}.sql")
'''


def main(argv: list[str]) -> int:
    """Exit 1 when it cannot be called so."""
    options = argparse.ArgumentParser(prog="nexus new-migration", description=__doc__)
    options.add_argument("service", choices=list(SERVICES))
    options.add_argument("title", help='what it does, as in "Withdrawals have their table"')
    chosen = options.parse_args(argv)
    slug = re.sub(r"[^a-z0-9]+", "_", chosen.title.lower()).strip("_")[:40].rstrip("_")
    if not slug:
        return common.fail("the title needs letters: it names the files")
    folder = common.ROOT / "services" / chosen.service / "migrations"
    before = max(path.name[:4] for path in (folder / "versions").glob("[0-9]*.py"))
    number = f"{int(before) + 1:04}"
    title = chosen.title.strip().rstrip(".")
    files = {
        folder
        / "sql"
        / f"{number}_{slug}.sql": f"-- {title}. Models and migrations must agree: ./nexus check --migrations\n",
        folder / "versions" / f"{number}_{slug}.py": _REVISION.format(
            title=title, number=number, before=before, slug=slug
        ),
    }
    for path, text in files.items():
        path.write_text(text)
        print(f"nexus: made {Path(path).relative_to(common.ROOT)}")
    return 0
