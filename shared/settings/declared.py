"""Every environment variable that Nexus reads, declared once: `.env.example`, the reference and `check` follow from it.

A value may also stand in the file that `NAME_FILE` names, or in `.env` (see `env.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from shared.settings.setting import Section, Setting
from shared.settings.setting import declare as _s

SECTIONS: Final = (
    Section(
        "The installation",
        (
            _s("NEXUS_ENV", "text", "dev", "gateway billing trades", "dev, test or prod; prod refuses weak secrets"),
            _s("SECRET_KEY", "text", None, "all", "signs cursors and quotes, derives refresh tokens; made by `up`"),
            _s("NEXUS_STATE", "path", ".nexus", "cli", "the folder of a stack's data, logs and passwords"),
            _s("NEXUS_PYTHON", "path", None, "cli", "the Python that makes .venv"),
            _s("NEXUS_SUPERUSER_PASSWORD", "text", None, "cli", "for `createsuperuser --noinput`"),
            _s("DJANGO_SUPERUSER_USERNAME", "text", None, "cli", "the same command, by the monolith's names"),
            _s("DJANGO_SUPERUSER_EMAIL", "text", None, "cli", "the same command, by the monolith's names"),
            _s("DJANGO_SUPERUSER_PASSWORD", "text", None, "cli", "the same command, by the monolith's names"),
        ),
    ),
    Section(
        "Servers of yours in the place of private ones",
        (
            _s("NEXUS_POSTGRES_URL", "URL", None, "cli", "an administrator's URL of a PostgreSQL"),
            _s("DB_HOST", "text", None, "cli", "the same in parts: the host"),
            _s("DB_PORT", "whole number", "5432", "cli", "its port"),
            _s("DB_USER", "text", "postgres", "cli", "an administrator"),
            _s("DB_PASSWORD", "text", "", "cli", "his password"),
            _s("DB_NAME", "text", "postgres", "cli", "a database to connect to; ours are made beside it"),
            _s("NEXUS_AMQP_URL", "URL", None, "cli", "an administrator's URL of a RabbitMQ"),
            _s("NEXUS_AMQP_API_URL", "URL", None, "cli", "of its management API; needed with NEXUS_AMQP_URL"),
        ),
    ),
    Section(
        "Logs",
        (
            _s("LOG_LEVEL", "text", "INFO", "all", "DEBUG, INFO, WARNING or ERROR"),
            _s("LOG_FORMAT", "text", "json", "all", "json or console; `up` says console unless told otherwise"),
            _s("LOG_FILE", "path", None, "all", "a file beside standard error, rotated by size"),
        ),
    ),
    Section(
        "The HTTP gateway",
        (
            _s("GATEWAY_WORKERS", "whole number", "1", "cli", "how many processes `up` starts"),
            _s("ALLOWED_HOSTS", "list", "", "gateway", "hosts that a request may name; empty: any"),
            _s("CORS_ALLOWED_ORIGINS", "list", "", "gateway", "origins of browsers; in dev and test localhost's, too"),
            _s(
                "RATE_LIMIT_ANONYMOUS",
                "whole number",
                "60",
                "gateway",
                "requests without token",
                unit="a minute and address",
                dev="60000",
            ),
            _s(
                "RATE_LIMIT_USER",
                "whole number",
                "1200",
                "gateway",
                "requests with a token",
                unit="a minute and user",
                dev="60000",
            ),
            _s(
                "AUDIT_DENIALS_PER_MINUTE",
                "whole number",
                "40",
                "gateway",
                "refusals that audit hears of",
                unit="a minute and user",
            ),
            _s("HEADER_TIMEOUT", "number", "5", "gateway", "for a whole header", unit="seconds"),
            _s("BODY_TIMEOUT", "number", "10", "gateway", "for a whole body", unit="seconds"),
            _s("KEEP_ALIVE_TIMEOUT", "whole number", "75", "gateway", "between two requests", unit="seconds"),
        ),
    ),
    Section(
        "Users and sessions",
        (
            _s("ACCESS_TOKEN_LIFETIME", "number", "3600", "users", "of an access token", unit="seconds"),
            _s("REFRESH_TOKEN_LIFETIME", "number", "604800", "users", "of a refresh token", unit="seconds"),
            _s("REFRESH_GRACE", "number", "10", "users", "a used refresh token gives its successor", unit="seconds"),
            _s("LOGIN_MAX_FAILURES", "whole number", "10", "users", "in a row, before a log-in is locked"),
            _s("LOGIN_LOCK_SECONDS", "number", "1", "users", "the first lock; then twice that", unit="seconds"),
            _s("LOGIN_LOCK_MAX_SECONDS", "number", "900", "users", "the longest lock", unit="seconds"),
            _s("ARGON2_TIME_COST", "whole number", "2", "users", "passes over the memory for a password"),
            _s("ARGON2_MEMORY_KIB", "whole number", "19456", "users", "memory for a password", unit="KiB"),
        ),
    ),
    Section(
        "Accounts, trades and commission",
        (
            _s("ALLOW_UNLINKED_REAL", "yes or no", "false", "billing", "traders name their Deriv accounts", dev="true"),
            _s("STAKE_MIN", "decimal", "0.35", "trades", "the smallest stake", unit="of the account's currency"),
            _s("PAYOUT_MAX", "decimal", "50000", "trades", "the largest payout", unit="of the account's currency"),
            _s(
                "PLATFORM_MARKUP_PERCENT",
                "decimal",
                "0",
                "trades",
                "where nothing else sets one",
                unit="% of the payout",
            ),
            _s(
                "MARKUP_MAX",
                "decimal",
                "3",
                "trades commission",
                "of any markup; never above 5",
                unit="% of the payout",
            ),
            _s("QUOTE_SECONDS", "whole number", "15", "trades", "a quote holds its price", unit="seconds"),
            _s(
                "OPENING_SECONDS",
                "whole number",
                "5",
                "trades",
                "an opening may take before it is swept",
                unit="seconds",
            ),
            _s("CLAIM_SECONDS", "number", "600", "referrals", "a claim waits for its user", unit="seconds"),
        ),
    ),
    Section(
        "The market inside",
        (
            _s("MARKET_SYMBOLS", "list", None, "trades", "codes that are offered; not set: all of them"),
            _s("MARKET_COMMISSION", "decimal", "0.012", "trades", "the market's share of a contract's price"),
            _s("MARKET_MARKUP_PERCENT", "decimal", "0", "trades", "what the house adds to it", unit="% of the payout"),
            _s(
                "MARKET_TOLERANCE",
                "decimal",
                "0.5",
                "trades",
                "the part of the commission that a price may get worse by",
            ),
            _s("MARKET_RESALE_SECONDS", "whole number", "15", "trades", "at the end without resale", unit="seconds"),
            _s("MARKET_SEED", "text", None, "trades", "makes prices repeatable, for tests alone; prod refuses it"),
            _s("MARKET_FAULTS", "text", None, "trades", "such as drop=0.1,delay=0.2:1s,seed=7; prod refuses it"),
        ),
    ),
    Section(
        "Upkeep",
        (
            _s("OUTBOX_KEEP_DAYS", "number", "7", "relay", "sent events stay in the outbox", unit="days"),
            _s(
                "REDRIVE_INTERVAL",
                "number",
                "30",
                "all",
                "between looks at what was parked by bad luck",
                unit="seconds",
            ),
            _s("BOOT_TIMEOUT", "number", "60", "all", "for servers to answer at the start", unit="seconds"),
            _s(
                "CONSUMERS_TIMEOUT",
                "number",
                "30",
                "all",
                "without consumers, until a service gives up",
                unit="seconds",
            ),
            _s("DRAIN_TIMEOUT", "number", "20", "all", "for work in hand after SIGTERM", unit="seconds"),
        ),
    ),
    Section(
        "What a process is told by whoever starts it",
        (
            _s("*_DB_URL", "URL", None, "all beside", "a service's database, by its runtime role"),
            _s("*_OWNER_DB_URL", "URL", None, "cli", "the same by the role that migrates"),
            _s("*_RELAY_DB_URL", "URL", None, "relay", "the same by the role that empties the outbox"),
            _s("*_AMQP_URL", "URL", None, "all", "the broker, by the service's own user"),
            _s("RELAY_AMQP_URL", "URL", None, "relay", "the broker, by the relay's user"),
            _s("BROKER_API_URL", "URL", None, "all", "the broker's management, by a user who may only look"),
            _s("RELAY_WAKE", "text", None, "all", "host:port that wakes the relay after a commit"),
            _s("VERIFY_DB_PASSWORD", "text", None, "cli", "of the role that `verify` reads with, in a deployment"),
            _s("JWT_PRIVATE_KEY_FILE", "path", None, "users", "signs access tokens"),
            _s("JWT_PUBLIC_KEYS_DIR", "path", None, "users gateway", "checks them"),
            _s("AUDIT_SEAL_KEY_FILE", "path", None, "audit", "signs the heads of the chain"),
            _s("AUDIT_SEAL_OLD_KEYS_DIR", "path", None, "audit", "public keys that signed earlier heads"),
            _s("DJANGO_SETTINGS_MODULE", "text", None, "beside", "of a Django project that reads users here"),
            _s("HEALTH_DIR", "path", None, "all", "where a process writes how it is, as NAME.json"),
            _s("PROCESS_NAME", "text", None, "all", "the NAME of it; of each replica with its number"),
        ),
        by_hand=False,
    ),
    Section(
        "Tests and benchmarks",
        (
            _s("NEXUS_TEST_PG", "URL", None, "tests", "an administrator's URL: use this PostgreSQL"),
            _s("NEXUS_TEST_AMQP", "URL", None, "tests", "an administrator's URL: use this RabbitMQ"),
            _s("NEXUS_TEST_API", "URL", None, "tests", "of its management API"),
            _s(
                "NEXUS_TEST_PREFIX",
                "text",
                "test",
                "tests",
                "of names on these servers: runs side by side differ in it",
            ),
            _s(
                "NEXUS_BENCH_AMQP",
                "URL",
                "amqp://guest:guest@127.0.0.1:5672//",
                "benchmarks",
                "for `benchmarks/rpc_hop.py`",
            ),
        ),
        by_hand=False,
    ),
)


def settings() -> Iterator[Setting]:
    """All of them."""
    for section in SECTIONS:
        yield from section.settings
