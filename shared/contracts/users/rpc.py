"""The questions and commands that users answers. Who is asking comes in the call's context."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Protocol, TypedDict

from marshmallow import validate

from shared.contracts.types import Id, Percent


class UserView(TypedDict):
    """A user as the public API shows him."""

    id: str
    username: str
    email: str
    is_email_verified: bool
    first_name: str
    last_name: str
    is_staff: bool
    is_active: bool
    referred_by: str | None
    affiliate_code: str
    markup_percentage: str | None
    created_at: str
    updated_at: str


class TokensView(TypedDict):
    """A pair of tokens; `expires_in` is the access token's life in seconds."""

    access: str
    refresh: str
    token_type: str
    expires_in: int


class RegisterAnswer(TypedDict):
    """`replayed`: the idempotency key was seen before, this is the user that it made."""

    user: UserView
    replayed: bool


class RevokedSession(TypedDict):
    """A session whose access tokens may still be alive; `until` is when the last of them dies (RFC 3339)."""

    session_id: str
    until: str


class RevocationsView(TypedDict):
    """What a gateway must know before it trusts signatures alone."""

    sessions: list[RevokedSession]
    frozen_user_ids: list[str]


@dataclass(frozen=True, kw_only=True)
class RegisterRequest:
    """Make a user. Anybody may ask."""

    username: Annotated[str, validate.Length(min=1, max=150)]
    email: Annotated[str, validate.Length(min=3, max=254)]
    password: Annotated[str, validate.Length(min=1, max=1024)]
    referral_code: Annotated[str, validate.Length(max=64)] | None = None


@dataclass(frozen=True, kw_only=True)
class LogInRequest:
    """`username` may be the e-mail address."""

    username: Annotated[str, validate.Length(min=1, max=254)]
    password: Annotated[str, validate.Length(min=1, max=1024)]


@dataclass(frozen=True, kw_only=True)
class RefreshRequest:
    """A refresh token, to be exchanged or ended."""

    refresh: Annotated[str, validate.Length(min=1, max=1024)]


@dataclass(frozen=True, kw_only=True)
class VerifyTokenRequest:
    """An access or refresh token."""

    token: Annotated[str, validate.Length(min=1, max=4096)]


@dataclass(frozen=True, kw_only=True)
class GetUserRequest:
    """Oneself, or anybody for staff."""

    user_id: Id


@dataclass(frozen=True, kw_only=True)
class SetUserMarkupRequest:
    """Staff only. `None` takes the percentage away."""

    user_id: Id
    markup_percentage: Percent | None


class UsersRpc(Protocol):
    """Owner: users."""

    def register(self, *, username: str, email: str, password: str, referral_code: str | None = None) -> RegisterAnswer:
        """Raises ValidationFailed (taken name or address, weak password, referral code), IdempotencyMismatch."""
        ...

    def log_in(self, *, username: str, password: str) -> TokensView:
        """Raises InvalidCredentials, LoginLocked."""
        ...

    def refresh(self, *, refresh: str) -> TokensView:
        """Exchange a refresh token, once. Raises InvalidToken; re-use outside the grace window ends the session."""
        ...

    def verify_token(self, *, token: str) -> dict[str, object]:
        """Empty when good. Raises InvalidToken."""
        ...

    def log_out(self, *, refresh: str) -> dict[str, object]:
        """End the token's session; again: the same answer. Raises InvalidToken for what never was a token."""
        ...

    def get_user(self, *, user_id: str) -> UserView:
        """Raises UserNotFound, also for somebody else's id."""
        ...

    def set_user_markup(self, *, user_id: str, markup_percentage: str | None) -> UserView:
        """Raises Forbidden, UserNotFound, ValidationFailed (above the maximum)."""
        ...

    def list_revocations(self) -> RevocationsView:
        """Sessions ended while access tokens of theirs may live, and users who are frozen or inactive."""
        ...
