"""Makes pika read every header value that AMQP allows.

pika 1.4 turns a timestamp header into a ``datetime`` and a float into an ``int`` while it reads the
frame. A value that Python has none for (a time in milliseconds where AMQP means seconds, infinity,
tables nested a thousand deep) raises there, pika closes the connection, and the broker hands the
same message out again: one careless client would stop the hub for everybody, and pika offers no
setting or hook for it. Such a value is read as None instead; the hub uses no header of a party's.
"""

from __future__ import annotations

import struct
from typing import Any

from pika import data

_FIXED = {b"T": 8, b"f": 4, b"d": 8}
"""Bytes after the type letter (AMQP 0-9-1, 4.2.1)."""
_COUNTED = (b"F", b"A")
"""Table and array: four bytes of length come first."""

_read = data.decode_value


def _decode_value(encoded: bytes, offset: int) -> tuple[Any, int]:
    """pika's own answer, or None and the place after the value."""
    try:
        return _read(encoded, offset)
    except (ValueError, OverflowError, OSError, RecursionError):
        kind = encoded[offset : offset + 1]
        if kind in _FIXED:
            return None, offset + 1 + _FIXED[kind]
        if kind in _COUNTED:
            (length,) = struct.unpack_from(">I", encoded, offset + 1)
            return None, offset + 5 + length
        raise


def install() -> None:
    """Replace pika's reader for this process; can be repeated."""
    data.decode_value = _decode_value
