"""A call, an answer and an acknowledgement as the bytes that go over the wire.

py-amqp takes a hundred Python calls to put the same few properties into frames each time; this is the larger part of
what it costs to answer. Frames: AMQP 0-9-1 §4.2.3; methods and properties: §1.8 of its reference.
"""

from __future__ import annotations

from struct import pack
from typing import Any

from shared.chassis import wire

_METHOD, _HEADER, _BODY, _END = 1, 2, 3, b"\xce"
_BASIC, _PUBLISH, _ACK = 60, 40, 80
# Property flags in their order on the wire.
_CONTENT_TYPE, _CONTENT_ENCODING, _HEADERS, _DELIVERY_MODE = 1 << 15, 1 << 14, 1 << 13, 1 << 12
_CORRELATION_ID, _REPLY_TO, _EXPIRATION, _MESSAGE_ID = 1 << 10, 1 << 9, 1 << 8, 1 << 7
_TRANSIENT = b"\x01"


def short(text: str) -> bytes:
    """A short string: at most 255 octets; raises struct.error when it is longer."""
    data = text.encode()
    return pack(">B", len(data)) + data


_JSON = short(wire.CONTENT_TYPE) + short("utf-8")
_BOTH = _CONTENT_TYPE | _CONTENT_ENCODING | _DELIVERY_MODE | _CORRELATION_ID
_ANSWER = pack(">H", _BOTH) + _JSON + _TRANSIENT
_CALL = pack(">H", _BOTH | _HEADERS | _REPLY_TO | _EXPIRATION | _MESSAGE_ID) + _JSON


def table(headers: dict[str, Any]) -> bytes:
    """A table of texts and whole numbers."""
    entries = []
    for name, value in headers.items():
        if isinstance(value, int):
            entries.append(short(name) + pack(">cq", b"l", value))
        else:
            data = value.encode()
            entries.append(short(name) + pack(">cI", b"S", len(data)) + data)
    data = b"".join(entries)
    return pack(">I", len(data)) + data


def call_properties(*, call_id: str, reply_to: str, expires: int, headers: dict[str, Any]) -> bytes:
    """The properties of a call that lives for `expires` milliseconds, as they stand in its header frame."""
    return b"".join(
        (
            _CALL,
            table(headers),
            _TRANSIENT,
            short(call_id),
            short(reply_to),
            short(str(expires)),
            short(call_id),  # the message id
        )
    )


def call(channel: Any, exchange: str, key: str, body: bytes, properties: bytes) -> bytes:
    """A message that must find a queue, on py-amqp's `channel`."""
    return _message(channel, exchange, key, body, properties, mandatory=True)


def answer(channel: Any, exchange: str, key: str, body: bytes, *, call_id: str) -> bytes:
    """A message that answers a call."""
    return _message(channel, exchange, key, body, _ANSWER + short(call_id), mandatory=False)


def ack(channel: Any, tag: int) -> bytes:
    """The acknowledgement of one delivery."""
    return _frame(_METHOD, channel.channel_id, pack(">HHQB", _BASIC, _ACK, tag, 0))


def send(channel: Any, frames: bytes) -> None:
    """Writes frames that belong together at once; raises OSError or AMQPError when the connection is gone."""
    connection = channel.connection
    if connection is None:
        raise ConnectionResetError("the connection to the broker is closed")
    connection.transport.write(frames)
    # What py-amqp counts to know whether a heartbeat is due.
    connection.bytes_sent += 1


def _message(channel: Any, exchange: str, key: str, body: bytes, properties: bytes, *, mandatory: bool) -> bytes:
    number = channel.channel_id
    method = pack(">HHH", _BASIC, _PUBLISH, 0) + short(exchange) + short(key) + pack(">B", mandatory)
    header = pack(">HHQ", _BASIC, 0, len(body)) + properties
    parts = [_frame(_METHOD, number, method), _frame(_HEADER, number, header)]
    size = channel.connection.frame_max - 8
    parts += [_frame(_BODY, number, body[start : start + size]) for start in range(0, len(body), size)]
    return b"".join(parts)


def _frame(kind: int, channel: int, payload: bytes) -> bytes:
    return pack(">BHI", kind, channel, len(payload)) + payload + _END
