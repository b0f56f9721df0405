"""The questions and commands that referrals answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Protocol, TypedDict

from marshmallow import validate

from shared.contracts.schema import UNSET
from shared.contracts.types import Id, Metadata, Percent, Timestamp

Limit = Annotated[int, validate.Range(min=1, max=100)]
Cursor = Annotated[str, validate.Length(max=512)]
Code = Annotated[str, validate.Length(min=1, max=64)]
MaxUses = Annotated[int, validate.Range(min=1, max=1_000_000_000)]
Vanity = Annotated[
    str, validate.Regexp(r"^[A-Za-z0-9][A-Za-z0-9_-]{2,31}\Z", error="3 to 32 letters, digits, - and _ only.")
]
Prefix = Annotated[str, validate.Regexp(r"^[A-Za-z0-9]{1,16}\Z", error="1 to 16 letters and digits only.")]


class CodeView(TypedDict):
    """A referral code as the public API shows it; `uses` counts the uses that are taken."""

    id: str
    code: str
    owner_id: str
    uses: int
    max_uses: int | None
    expires_at: str | None
    disabled: bool
    markup_percent: str | None
    metadata: dict[str, Any]
    created_at: str


class CodePage(TypedDict):
    """A page of codes, newest first."""

    results: list[CodeView]
    has_more: bool
    next: str | None


class CodeAnswer(TypedDict):
    """`replayed`: the idempotency key was seen before and this is the code's present state."""

    code: CodeView
    replayed: bool


class ReferralView(TypedDict):
    """A referral as the public API shows it."""

    id: str
    code_id: str
    referred_user_id: str
    commission_awarded: bool
    created_at: str


class ReferralPage(TypedDict):
    """A page of referrals, newest first."""

    results: list[ReferralView]
    has_more: bool
    next: str | None


class ClaimAnswer(TypedDict):
    """A use that is taken for a user: the code as its owner writes it."""

    code_id: str
    code: str
    owner_id: str


class CheckAnswer(TypedDict):
    """`problem` says why a code cannot be used now (unknown, disabled, expired, used_up), null when it can."""

    valid: bool
    problem: str | None


@dataclass(frozen=True, kw_only=True)
class GenerateCodeRequest:
    """A further code. `code` is a vanity code; otherwise one is made, beginning with `prefix`.

    `owner_id` and `markup_percent` are for staff.
    """

    code: Vanity | None = None
    prefix: Prefix | None = None
    max_uses: MaxUses | None = None
    expires_at: Timestamp | None = None
    metadata: Metadata | None = None
    markup_percent: Percent | None = None
    owner_id: Id | None = None


@dataclass(frozen=True, kw_only=True)
class ChangeCodeRequest:
    """What is left out stays; null takes a limit or rate away. `markup_percent` is for staff."""

    code_id: Id
    max_uses: MaxUses | None = UNSET
    expires_at: Timestamp | None = UNSET
    disabled: bool = UNSET
    metadata: Metadata = UNSET
    markup_percent: Percent | None = UNSET


@dataclass(frozen=True, kw_only=True)
class ClaimRequest:
    """Asked by users before it writes a user who registers with a code.

    `owner_id`: the code is that user's affiliate code, which referrals may not have heard of yet.
    """

    user_id: Id
    code: Code
    owner_id: Id | None = None


@dataclass(frozen=True, kw_only=True)
class CheckCodeRequest:
    """Anybody may ask; the answer does not say whose code it is."""

    code: Code


@dataclass(frozen=True, kw_only=True)
class GetReferralRequest:
    """Who referred this user: himself and staff."""

    user_id: Id


@dataclass(frozen=True, kw_only=True)
class ListCodesRequest:
    """The caller's codes; for staff everybody's, unless `owner_id` says whose."""

    owner_id: Id | None = None
    limit: Limit = 20
    after: Cursor | None = None


@dataclass(frozen=True, kw_only=True)
class ListReferralsRequest:
    """Whom the caller has referred; for staff everybody, unless `owner_id` says by whom."""

    owner_id: Id | None = None
    code_id: Id | None = None
    limit: Limit = 20
    after: Cursor | None = None


class ReferralsRpc(Protocol):
    """Owner: referrals."""

    def generate_code(
        self,
        *,
        code: str | None = None,
        prefix: str | None = None,
        max_uses: int | None = None,
        expires_at: str | None = None,
        metadata: dict[str, Any] | None = None,
        markup_percent: str | None = None,
        owner_id: str | None = None,
    ) -> CodeAnswer:
        """Raises ValidationFailed (taken, form of an affiliate code, in the past, rate), Forbidden, NotReady."""
        ...

    def change_code(self, *, code_id: str, **changes: Any) -> CodeView:
        """Raises CodeNotFound, Forbidden (a rate by its owner), ValidationFailed."""
        ...

    def claim(self, *, user_id: str, code: str, owner_id: str | None = None) -> ClaimAnswer:
        """Take a use, once per user; it is given back if no such user appears within 10 minutes.

        Raises ValidationFailed on `referral_code`: unknown, disabled, expired, used_up, own (older than its owner).
        """
        ...

    def check_code(self, *, code: str) -> CheckAnswer:
        """Whether a code could be used now."""
        ...

    def get_referral(self, *, user_id: str) -> ReferralView:
        """Raises ReferralNotFound, also for somebody else's."""
        ...

    def list_codes(self, *, owner_id: str | None = None, limit: int = 20, after: str | None = None) -> CodePage:
        """Raises Forbidden for somebody else's list."""
        ...

    def list_referrals(
        self, *, owner_id: str | None = None, code_id: str | None = None, limit: int = 20, after: str | None = None
    ) -> ReferralPage:
        """Raises Forbidden for somebody else's list."""
        ...
