"""Testing against the real parts: databases and a virtual host per worker, services as real processes.

Fixtures are in `plugin`; the root conftest.py loads it. Nothing here patches the test process: nameko runs in
processes of its own, and commands need no nameko.
"""

from shared.chassis.testing.waiting import eventually

__all__ = ["eventually"]
