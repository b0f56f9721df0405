"""The middle of a service's README follows from the code; the rest is by hand and stays."""

from __future__ import annotations

import pytest

from cli.documents import readmes, sources
from shared.devstack.registry import SERVICES

PAGE = "# x\n\n## Answers\n\n<!-- written by ./nexus docs: answers -->\nold\n<!-- end -->\n\nBy hand.\n"


def test_only_what_is_between_the_marks_is_written() -> None:
    new = readmes.replaced(PAGE, "answers", r"`a` \1", "README.md")
    assert new == PAGE.replace("old", r"`a` \1")
    assert readmes.replaced(new, "answers", "old", "README.md") == PAGE


@pytest.mark.parametrize("page", [PAGE.replace("answers", "other"), PAGE + PAGE, PAGE.replace("<!-- end -->", "")])
def test_a_page_without_its_marks_is_refused(page: str) -> None:
    with pytest.raises(readmes.Unmarked, match=r"README\.md must have one"):
        readmes.replaced(page, "answers", "new", "README.md")


@pytest.mark.parametrize("service", SERVICES)
def test_a_readme_names_every_method_and_every_event(service: str) -> None:
    pages = dict(readmes.written())
    page = pages[f"services/{service}/README.md"]
    for method in sources.methods(service):
        assert f"`{method.name}`" in page
    for event in sources.events():
        if event.owner == service:
            assert f"| `{event.type}` |" in page
        if service in event.readers:
            assert f"`{event.type}`" in page.partition("## Listens")[2].partition("<!-- end -->")[0]
