"""What the gateway can be told, read once at the start. Times are in seconds, sizes in bytes."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.settings.env import EnvConfig, env

SERVICES = ("users", "billing", "trades", "referrals", "commission", "notifications", "audit")
"""Whom `/health/ready` asks."""


@dataclass(frozen=True)
class Settings:
    """Defaults are for production; dev and test let many clients of one address through.

    `part_seconds` is for each part of the dashboard, `denials_per_minute` how many refusals of one user audit hears of.
    """

    amqp_url: str
    public_keys: str
    header_seconds: float = 5.0
    body_seconds: float = 10.0
    keep_alive_seconds: int = 75
    body_bytes: int = 64 * 1024
    header_bytes: int = 16 * 1024
    rpc_seconds: float = 3.0
    open_seconds: float = 4.5
    auth_seconds: float = 5.0
    part_seconds: float = 2.0
    health_seconds: float = 1.0
    anonymous_per_minute: int = 60
    user_per_minute: int = 1200
    denials_per_minute: int = 40
    cors_origins: list[str] = field(default_factory=list)
    cors_localhost: bool = False
    allowed_hosts: list[str] = field(default_factory=list)


def load(source: EnvConfig = env) -> Settings:
    """The settings of this process. Raises SettingError."""
    lenient = source.get("NEXUS_ENV", "dev") != "prod"
    return Settings(
        amqp_url=source.require("GATEWAY_AMQP_URL"),
        public_keys=source.require("JWT_PUBLIC_KEYS_DIR"),
        header_seconds=source.get_float("HEADER_TIMEOUT", Settings.header_seconds),
        body_seconds=source.get_float("BODY_TIMEOUT", Settings.body_seconds),
        keep_alive_seconds=source.get_int("KEEP_ALIVE_TIMEOUT", Settings.keep_alive_seconds),
        anonymous_per_minute=source.get_int(
            "RATE_LIMIT_ANONYMOUS", 60_000 if lenient else Settings.anonymous_per_minute
        ),
        user_per_minute=source.get_int("RATE_LIMIT_USER", 60_000 if lenient else Settings.user_per_minute),
        denials_per_minute=source.get_int("AUDIT_DENIALS_PER_MINUTE", Settings.denials_per_minute),
        cors_origins=source.get_list("CORS_ALLOWED_ORIGINS"),
        cors_localhost=lenient,
        allowed_hosts=[host for host in source.get_list("ALLOWED_HOSTS") if host],
    )
