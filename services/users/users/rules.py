"""What a name, an address and a password must be, and how long things last. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

USERNAME = re.compile(r"[A-Za-z0-9_.@+-]{1,150}", re.ASCII)
# One @, no blanks or control characters, a dot in the domain: whether mail arrives, only a mail can show.
EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f\"(),:;<>\[\]\\]{1,64}@[A-Za-z0-9.-]{1,189}", re.ASCII)
CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")
PASSWORD_LENGTHS = (8, 128)
MARKUP_MAX = Decimal(3)
# From published lists of the most used passwords, those that are long enough to pass the other rules.
_COMMON = frozenset(
    [
        "password",
        "password1",
        "passw0rd",
        "12345678",
        "123456789",
        "1234567890",
        "qwertyuiop",
        "qwerty123",
        "iloveyou",
        "sunshine",
        "princess",
        "football",
        "baseball",
        "welcome1",
        "admin123",
        "letmein1",
        "superman",
        "trustno1",
        "whatever",
        "11111111",
        "00000000",
        "abcd1234",
        "1q2w3e4r",
        "1qaz2wsx",
        "password123",
        "changeme",
        "dragon123",
        "monkey123",
        "zaq12wsx",
        "asdfghjkl",
        "qwer1234",
        "computer",
        "starwars",
        "michelle",
    ]
)


@dataclass(frozen=True)
class Lifetimes:
    """How long tokens live, and how long a refresh token that was just exchanged still gives the same successor."""

    access: timedelta = timedelta(hours=1)
    refresh: timedelta = timedelta(days=7)
    grace: timedelta = timedelta(seconds=10)


@dataclass(frozen=True)
class LockPolicy:
    """After `free` failures in a row each further one locks the account, twice as long as the one before."""

    free: int = 10
    first: timedelta = timedelta(seconds=1)
    longest: timedelta = timedelta(minutes=15)

    def lock(self, failures: int) -> timedelta | None:
        """How long the account is locked after the `failures`-th failure in a row; None: not at all."""
        if failures < self.free:
            return None
        # The exponent is bounded before the multiplication, which would overflow.
        doublings = 1 << min(failures - self.free, 30)
        return min(self.first * doublings, self.longest)


def normal_password(password: str) -> str:
    """NFKC, so that the same password typed on another keyboard is the same."""
    return unicodedata.normalize("NFKC", password)


def normal_email(email: str) -> str:
    """Without blanks around it; the domain in lower case. Uniqueness ignores case anyway."""
    local, _, domain = email.strip().rpartition("@")
    return f"{local}@{domain.lower()}" if local else email.strip()


def username_problem(username: str) -> str | None:
    """Why the name is refused, or None."""
    return None if USERNAME.fullmatch(username) else "1 to 150 letters, digits and @ . + - _ only."


def email_problem(email: str) -> str | None:
    """Why the address is refused, or None."""
    domain = email.rpartition("@")[2]
    labels = domain.split(".")
    well_formed = len(labels) > 1 and all(label and label[0] != "-" and label[-1] != "-" for label in labels)
    return None if EMAIL.fullmatch(email) and well_formed else "Not an e-mail address."


def is_code(text: str) -> bool:
    """Whether a text can be anybody's referral code at all."""
    return CODE.fullmatch(text) is not None


def password_problem(password: str, username: str, email: str) -> str | None:
    """Why the password is refused, or None."""
    shortest, longest = PASSWORD_LENGTHS
    if not shortest <= len(password) <= longest:
        return f"{shortest} to {longest} characters."
    folded = password.casefold()
    if folded in _COMMON or len(set(password)) == 1:
        return "Too common."
    if folded in (username.casefold(), email.casefold(), email.partition("@")[0].casefold()):
        return "Too similar to the username or the e-mail address."
    return None


def markup_problem(percentage: Decimal) -> str | None:
    """Why the percentage is refused, or None."""
    return None if 0 <= percentage <= MARKUP_MAX else f"From 0 to {MARKUP_MAX} percent."
