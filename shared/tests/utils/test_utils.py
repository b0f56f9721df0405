"""Ids, time, settings and logs, by the names that the monolith had."""

from __future__ import annotations

import json
import logging
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.settings.env import EnvConfig, SettingError
from shared.utils import ids, logger, time

ALPHABET = set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")


def test_ulids_are_sorted_unique_and_of_the_present() -> None:
    made = [ids.generate_ulid() for _ in range(5000)]
    assert made == sorted(set(made))
    assert all(len(one) == 26 and set(one) <= ALPHABET and one[0] <= "7" for one in made)
    milliseconds = 0
    for letter in made[0][:10]:
        milliseconds = milliseconds * 32 + "0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(letter)
    assert abs(milliseconds / 1000 - datetime.now(UTC).timestamp()) < 5


def test_ulids_of_many_threads_are_unique() -> None:
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.extend([ids.generate_ulid() for _ in range(500)])) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 4000


def test_ids_have_their_form() -> None:
    made = [ids.new_id() for _ in range(1000)]
    assert len(set(made)) == 1000
    assert made == sorted(made)
    assert all(one[14] == "7" and one == one.lower() and len(one) == 36 for one in made)
    assert ids.generate_proposal_id().startswith("prop_")
    assert ids.generate_transaction_id().startswith("tx_")


def test_ids_of_another_source_are_the_same_each_time() -> None:
    def made() -> list[str]:
        one = (f"019cac75-feb2-7001-bbab-{n:012}" for n in range(100))
        with ids.use_ids(lambda: next(one)):
            return [ids.new_id(), ids.generate_transaction_id(), ids.generate_affiliate_code("ann"), ids.new_id()]

    assert made() == made()
    assert len(set(made())) == 4
    assert ids.new_id() not in made()


@given(st.text(max_size=40))
def test_an_affiliate_code_is_shareable_whatever_the_name(name: str) -> None:
    code = ids.generate_affiliate_code(name)
    assert 8 <= len(code) <= 16
    assert code.isascii()
    assert code.isalnum()
    assert code == code.upper()


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_survives_the_wire(moment: datetime) -> None:
    text = time.to_rfc3339(moment)
    assert text.endswith("Z")
    assert time.from_rfc3339(text) == moment


def test_times_are_aware_and_in_utc() -> None:
    now = time.get_utc_now()
    assert now.tzinfo is not None
    assert now.utcoffset() == timedelta(0)
    assert time.timestamp_to_datetime(time.datetime_to_timestamp(now)) == now.replace(microsecond=0)
    assert abs(time.get_timestamp() - now.timestamp()) < 2
    assert time.add_days(now, 1) - now == time.add_hours(now, 24) - now == time.add_minutes(now, 1440) - now
    assert time.add_seconds(now, -1) < now
    there = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert time.to_rfc3339(there) == "2026-01-01T10:00:00Z"
    for wrong in (lambda: time.to_rfc3339(datetime(2026, 1, 1)), lambda: time.from_rfc3339("2026-01-01T00:00:00")):  # noqa: DTZ001
        with pytest.raises(ValueError, match="zone"):
            wrong()


def test_the_clock_can_be_set() -> None:
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    with time.use_clock(lambda: moment):
        assert time.get_utc_now() == moment
    assert time.get_utc_now() != moment


def test_settings_have_types_and_say_which_is_wrong() -> None:
    config = EnvConfig({"A": "1", "B": "yes", "C": "x, y,,", "D": "1.5", "E": "maybe"}, dotenv=None)
    assert (config.get("A"), config.get("Z"), config.get("Z", "z")) == ("1", None, "z")
    assert (config.get_int("A"), config.get_int("Z", 7), config.get_float("D")) == (1, 7, 1.5)
    assert (config.get_bool("B"), config.get_bool("Z", True)) == (True, True)
    assert (config.get_list("C"), config.get_list("Z", ["q"])) == (["x", "y"], ["q"])
    for wrong in (config.get_int, config.get_float, config.get_bool):
        with pytest.raises(SettingError, match=r"^E "):
            wrong("E")
    with pytest.raises(SettingError, match="Z is not set"):
        config.require("Z")


def test_settings_come_from_files_and_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text('A="from the file"\nB=file\n')
    (tmp_path / "secret").write_text("s3cret\n")
    config = EnvConfig({"B": "real", "S_FILE": str(tmp_path / "secret")}, dotenv=tmp_path / ".env")
    assert (config.get("A"), config.get("B"), config.get("S")) == ("from the file", "real", "s3cret")
    with pytest.raises(SettingError, match="T_FILE"):
        EnvConfig({"T_FILE": str(tmp_path / "none")}, dotenv=None).get("T")


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Lines that were logged, as JSON."""
    file = tmp_path / "log"
    monkeypatch.setenv("LOG_FILE", str(file))
    monkeypatch.setenv("LOG_FORMAT", "json")
    root = logging.getLogger()
    before, level = root.handlers, root.level
    logger.configure_logging("tests")
    yield lambda: [json.loads(line) for line in file.read_text().splitlines()]
    for handler in root.handlers:
        handler.close()
    root.handlers = before
    root.setLevel(level)


def test_logs_are_structured_and_keep_secrets(lines) -> None:
    logger.log_info("in", password="p", nested={"access": "t", "note": "x"}, url="amqp://me:pw@h/", trade_id="1")
    logger.log_warning("odd", header="Authorization: Bearer abc.def.ghi")
    logging.getLogger("some.library").error("broker amqp://u:hidden-one@h is away")
    found = lines()
    assert (found[0]["event"], found[0]["service"], found[0]["level"]) == ("in", "tests", "info")
    assert found[0]["trade_id"] == "1"
    everything = json.dumps(found)
    for secret in ('"p"', '"t"', ":pw@", "abc.def", "hidden-one"):
        assert secret not in everything


def test_an_exception_is_logged_with_its_traceback(lines) -> None:
    try:
        raise ValueError("broken")
    except ValueError as error:
        logger.log_error("failed", error, step=3)
    (line,) = lines()
    assert "ValueError: broken" in line["exception"]
    assert line["step"] == 3
