"""Names, addresses, passwords, locks."""

from __future__ import annotations

import time
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from users import rules


@given(st.integers(min_value=0, max_value=10**6))
def test_a_lock_never_gets_shorter_nor_longer_than_the_longest(failures: int) -> None:
    policy = rules.LockPolicy()
    lock, next_lock = policy.lock(failures), policy.lock(failures + 1)
    assert (lock is None) == (failures < policy.free)
    assert lock is None or timedelta(0) < lock <= (next_lock or lock) <= policy.longest


@given(st.text(max_size=80))
def test_normal_forms_are_stable(text: str) -> None:
    assert rules.normal_password(rules.normal_password(text)) == rules.normal_password(text)
    assert rules.normal_email(rules.normal_email(text)) == rules.normal_email(text)


@pytest.mark.parametrize("text", ["a" * 50_000 + "!", "@" * 50_000, "a@" + "b." * 25_000, "a@" + "-" * 50_000])
def test_hostile_input_costs_no_time(text: str) -> None:
    begun = time.perf_counter()
    rules.username_problem(text)
    rules.email_problem(text)
    rules.password_problem(text, text, text)
    assert time.perf_counter() - begun < 0.05


@pytest.mark.parametrize("email", ["ada@example.org", "a.b+c@sub.example.co.uk", "x_y-z@1.de"])
def test_ordinary_addresses_are_good(email: str) -> None:
    assert rules.email_problem(email) is None


def test_markup_is_from_zero_to_three() -> None:
    assert rules.markup_problem(Decimal(0)) is None
    assert rules.markup_problem(Decimal(3)) is None
    assert rules.markup_problem(Decimal("3.01")) is not None
    assert rules.markup_problem(Decimal("-0.01")) is not None
