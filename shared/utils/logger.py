"""Structured logs: JSON for machines or lines for people, with the correlation id, without secrets.

    log_info("trade opened", trade_id=trade_id)

`configure_logging` is called once by each process; everything that uses the standard library's logging
comes out the same way.
"""

from __future__ import annotations

import logging
import logging.handlers
import re
import sys
import time
from collections.abc import Callable, MutableMapping
from contextlib import nullcontext
from typing import Any

import structlog

from shared.settings.env import env

Event = MutableMapping[str, Any]

MAX_BYTES = 10 * 2**20
BACKUPS = 3
_SECRET_KEYS = re.compile(
    r"password|passwd|token|secret|authorization|cookie|^access$|^refresh$|api_?key", re.IGNORECASE
)
_URL_PASSWORD = re.compile(r"(?<=://)([^/\s:@]+):([^/\s@]+)(?=@)")
_BEARER = re.compile(r"(?i)(bearer\s+)[A-Za-z0-9._~+/=-]+")
_HIDDEN = "[hidden]"

_context: Callable[[], dict[str, Any]] = dict


def set_context_source(source: Callable[[], dict[str, Any]]) -> None:
    """Names the function whose fields (correlation id and the like) go onto every line."""
    global _context
    _context = source


class Gathering(logging.StreamHandler[Any]):
    """Writes ordinary lines together, a few times a second: a write for each costs a busy process a tenth of its time.

    Warnings come out at once, with all that was said before them. Whoever uses it flushes it from time to time.
    """

    SECONDS = 0.2
    LINES = 200

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self._lines: list[str] = []
        self._written = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.append(self.format(record) + self.terminator)
            late = time.monotonic() - self._written > self.SECONDS
            if late or record.levelno >= logging.WARNING or len(self._lines) >= self.LINES:
                self.flush()
        except Exception:
            self.handleError(record)

    def flush(self) -> None:
        """Writes what was gathered."""
        with self.lock or nullcontext():
            lines, self._lines = self._lines, []
            self._written = time.monotonic()
            if lines:
                self.stream.write("".join(lines))
            super().flush()


def configure_logging(service: str, *, gathering: bool = False) -> None:
    """Sets up the process's logs from LOG_LEVEL, LOG_FORMAT (json or console) and LOG_FILE (rotated by size)."""
    as_json = env.get("LOG_FORMAT", "json") == "json"
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_context(service),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handlers: list[logging.Handler] = [(Gathering if gathering else logging.StreamHandler)(sys.stderr)]
    if path := env.get("LOG_FILE"):
        handlers.append(logging.handlers.RotatingFileHandler(path, maxBytes=MAX_BYTES, backupCount=BACKUPS))
    root = logging.getLogger()
    root.handlers = handlers
    for handler in handlers:
        handler.setFormatter(formatter)
    root.setLevel(env.get("LOG_LEVEL", "INFO").upper())
    # Their INFO is about every frame, pool and migration step.
    for noisy in ("amqp", "kombu", "aiormq", "asyncio", "nameko", "alembic"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(root.level),
        cache_logger_on_first_use=True,
    )


def flush_logs() -> None:
    """Writes what handlers still keep."""
    for handler in logging.getLogger().handlers:
        handler.flush()


def get_logger(name: str) -> Any:
    """A logger that takes fields as keyword arguments."""
    return structlog.stdlib.get_logger(name)


def log_debug(message: str, **kwargs: Any) -> None:
    """For the developer who looks for something."""
    get_logger("nexus").debug(message, **kwargs)


def log_info(message: str, **kwargs: Any) -> None:
    """Something ordinary happened."""
    get_logger("nexus").info(message, **kwargs)


def log_warning(message: str, **kwargs: Any) -> None:
    """Something is odd, and was dealt with."""
    get_logger("nexus").warning(message, **kwargs)


def log_error(message: str, exception: BaseException | None = None, **kwargs: Any) -> None:
    """Something failed; with its traceback when there is an exception."""
    get_logger("nexus").error(message, exc_info=exception, **kwargs)


def redact(logger: Any, method: str, event: Event) -> Event:
    """Hides values of secret keys, passwords in URLs and bearer tokens, at any depth."""
    for key, value in event.items():
        event[key] = _HIDDEN if _SECRET_KEYS.search(key) else _clean(value)
    return event


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _BEARER.sub(rf"\1{_HIDDEN}", _URL_PASSWORD.sub(rf"\1:{_HIDDEN}", value))
    if isinstance(value, dict):
        return {k: _HIDDEN if _SECRET_KEYS.search(str(k)) else _clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value


def _add_context(service: str) -> Callable[[Any, str, Event], Event]:
    def add(logger: Any, method: str, event: Event) -> Event:
        event.setdefault("service", service)
        for key, value in _context().items():
            if value is not None:
                event.setdefault(key, value)
        return event

    return add
