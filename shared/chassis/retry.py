"""Running a command again after its transaction was rolled back through no fault of its own."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from logging import getLogger
from typing import TypeVar

from shared.chassis.context import current
from shared.chassis.errors import CommitUnknown, RetryTransaction
from shared.contracts.errors import DeadlineExceeded, ServiceUnavailable

log = getLogger(__name__)

T = TypeVar("T")

ATTEMPTS = 3
# Seconds before the second attempt; doubled for the third. Two that deadlocked must not meet again.
_PAUSE = 0.02


def run_again(command: Callable[[], T]) -> T:
    """Runs `command` up to three times within the context's deadline.

    Raises ServiceUnavailable when every attempt was rolled back, DeadlineExceeded when time ran out
    or the fate of a commit is not known.
    """
    unknown = False
    for attempt in range(1, ATTEMPTS + 1):
        if attempt > 1:
            time.sleep(_PAUSE * 2 ** (attempt - 2) * random.uniform(0.5, 1.5))  # noqa: S311  # jitter
            current().check_deadline()
        try:
            return command()
        except RetryTransaction as error:
            unknown = unknown or isinstance(error, CommitUnknown)
            log.warning("attempt %d of %d rolled back: %s", attempt, ATTEMPTS, error)
    if unknown:
        raise DeadlineExceeded("the outcome is not known")
    raise ServiceUnavailable("the database refused the transaction")
