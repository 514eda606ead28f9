"""Avro's own encodings of what fastavro has no writer for."""

from __future__ import annotations


def zigzag(number: int) -> bytes:
    """A long as Avro writes it."""
    number = (number << 1) ^ (number >> 63)
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])
