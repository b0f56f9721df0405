"""Ordinary lines are written together; a warning comes out at once with all before it; nothing is left behind."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from shared.utils.logger import Gathering


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def log(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> Iterator[logging.Logger]:
    monkeypatch.setattr(Gathering, "SECONDS", 3600.0)
    logger = logging.Logger("test")  # noqa: LOG001  # one of its own, without parents
    handler = Gathering(stream)
    handler.flush()
    logger.addHandler(handler)
    yield logger
    handler.close()


def test_lines_wait_for_each_other(log: logging.Logger, stream: io.StringIO) -> None:
    for number in range(Gathering.LINES - 1):
        log.info("line %d", number)
    assert stream.getvalue() == ""
    log.info("the last one")
    assert stream.getvalue().splitlines() == [*(f"line {n}" for n in range(Gathering.LINES - 1)), "the last one"]


def test_a_warning_does_not_wait_and_keeps_its_place(log: logging.Logger, stream: io.StringIO) -> None:
    log.info("before")
    log.warning("careful")
    assert stream.getvalue() == "before\ncareful\n"


def test_after_a_while_a_line_takes_the_others_along(
    log: logging.Logger, stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.info("one")
    monkeypatch.setattr(Gathering, "SECONDS", 0.0)
    log.info("two")
    assert stream.getvalue() == "one\ntwo\n"


def test_flush_writes_what_is_left(log: logging.Logger, stream: io.StringIO) -> None:
    log.info("one")
    log.handlers[0].flush()
    log.handlers[0].flush()
    assert stream.getvalue() == "one\n"
