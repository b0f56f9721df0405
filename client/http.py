"""Keep-alive HTTP for the API: JSON in and out, and the difference between a refusal and no answer."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

JSON = {"Content-Type": "application/json"}
_AGAIN_SECONDS = 0.2


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; `body` is the decoded JSON, or None where there is none. Names of headers are lower case."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def code(self) -> str:
        """The problem's code; empty when it is none."""
        return str(self.body.get("code", "")) if isinstance(self.body, dict) and self.status >= 400 else ""

    @property
    def final(self) -> bool:
        """Whether repeating the request with the same key could not tell more."""
        return self.status not in (429, 503) and self.code != "in_progress"


class NoAnswer(Exception):
    """The connection broke: the client knows nothing about the outcome."""


class Unexpected(Exception):
    """An answer that the caller cannot go on with."""

    def __init__(self, method: str, path: str, answer: Answer) -> None:
        super().__init__(f"{method} {path}: {answer.status} {answer.body}")
        self.answer = answer


class Http:
    """Requests to `http://127.0.0.1:{port}/api/v1`, one connection per thread."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._local = threading.local()
        self._made: list[http.client.HTTPConnection] = []

    def send(
        self, method: str, path: str, raw: bytes | None, headers: Mapping[str, str], timeout: float = 20
    ) -> Answer:
        """One request with a body as it is. Raises NoAnswer when the connection breaks."""
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
            self._made.append(connection)
        try:
            connection.request(method, f"/api/v1{path}", body=raw, headers=dict(headers))
            response = connection.getresponse()
            payload = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._local.connection = None
            with contextlib.suppress(OSError):
                connection.close()
            raise NoAnswer(repr(error)) from error
        found = {name.lower(): value for name, value in response.getheaders()}
        if found.get("connection", "").lower() == "close":
            connection.close()
        is_json = "json" in found.get("content-type", "")
        return Answer(response.status, json.loads(payload) if is_json and payload else None, found)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """A read may be repeated: once, for a kept connection may have ended since."""
        try:
            return self.send("GET", path, None, headers or {})
        except NoAnswer:
            return self.send("GET", path, None, headers or {})

    def post(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
        """One POST of a JSON body. Raises NoAnswer."""
        return self.call("POST", path, body, headers)

    def call(self, method: str, path: str, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
        """One request with a JSON body, or without any where it is None. Raises NoAnswer."""
        raw = None if body is None else json.dumps(body).encode()
        return self.send(method, path, raw, {**(JSON if raw is not None else {}), **(headers or {})})

    def until_final(
        self, method: str, path: str, body: Any, headers: Mapping[str, str], *, seconds: float = 60
    ) -> Answer:
        """Repeats a request (same key, if it has one) until the answer is final, as the API tells clients to.

        Raises NoAnswer when there is none within `seconds`.
        """
        until = time.monotonic() + seconds
        while True:
            with contextlib.suppress(NoAnswer):
                answer = self.call(method, path, body, headers)
                if answer.final:
                    return answer
            if time.monotonic() > until:
                raise NoAnswer(f"no final answer to {method} {path} in {seconds:g} s")
            time.sleep(_AGAIN_SECONDS)

    def close(self) -> None:
        """Closes the connections of all threads."""
        for connection in self._made:
            connection.close()
