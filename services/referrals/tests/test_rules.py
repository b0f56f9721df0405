"""Forms of codes, ids that follow from others, and when a code can be used."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from referrals import rules
from shared.utils.ids import generate_affiliate_code, new_id

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


@given(st.text(max_size=20))
def test_every_affiliate_code_has_its_form_in_any_case(name: str) -> None:
    code = generate_affiliate_code(name)
    assert rules.is_affiliate_code(code)
    assert rules.is_affiliate_code(code.lower())
    assert rules.is_code(code)


@given(st.from_regex(r"[A-Za-z0-9]{1,16}", fullmatch=True) | st.none(), st.text(rules.ALPHABET, min_size=8, max_size=8))
def test_no_made_code_has_it(prefix: str | None, random: str) -> None:
    made = rules.made_code(prefix, random)
    assert not rules.is_affiliate_code(made)
    assert rules.is_code(made)


def test_ids_of_affiliate_codes_follow_from_their_users_ids_and_collide_with_none() -> None:
    users = [new_id() for _ in range(200)]
    found = [rules.affiliate_code_id(user) for user in users]
    assert found == [rules.affiliate_code_id(user) for user in users]
    assert len({*users, *found}) == 400
    for user, code in zip(users, map(uuid.UUID, found), strict=True):
        assert (code.version, code.variant, str(code)[:13]) == (7, uuid.RFC_4122, user[:13])


@given(st.integers(0, 5), st.none() | st.integers(1, 5), st.none() | st.integers(-2, 2), st.booleans())
def test_a_code_can_be_used_unless_something_says_why_not(
    uses: int, max_uses: int | None, seconds: int | None, disabled: bool
) -> None:
    expires_at = None if seconds is None else NOW + timedelta(seconds=seconds)
    found = rules.problem(disabled=disabled, expires_at=expires_at, max_uses=max_uses, uses=uses, now=NOW)
    expired, used_up = seconds is not None and seconds <= 0, max_uses is not None and uses >= max_uses
    assert (found is None) == (not (disabled or expired or used_up))
    assert found is None or found in rules.REFUSALS
