"""What an ONNX file says about itself, read without its network and without ONNX Runtime.

ONNX Runtime tells the same, but only once it has loaded the network, which takes a hundred times as long.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

_PROPERTIES = 14
"""Field ``metadata_props`` of ``ModelProto``, in onnx.proto; each is a ``StringStringEntryProto`` of these two."""
_KEY, _VALUE = 1, 2

_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5
_LONGEST_VARINT = 10


def read_properties(path: Path) -> dict[str, str]:
    """The texts that an ONNX file carries besides its network, by key.

    Raises:
        ValueError: the file is no ONNX file, or cut short.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        entries = [file.read(length) for field, length in _fields(file) if field == _PROPERTIES]
    return dict(_property(entry) for entry in entries)


def _property(entry: bytes) -> tuple[str, str]:
    file = BytesIO(entry)
    texts = {field: file.read(length).decode("utf-8") for field, length in _fields(file)}
    return texts.get(_KEY, ""), texts.get(_VALUE, "")


def _fields(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """The number and length of each field that has bytes, with the file at them; the others are passed over.

    The wire format is that of Protocol Buffers.
    """
    size = file.seek(0, os.SEEK_END)
    place = file.seek(0)
    while place < size:
        tag = _varint(file)
        kind = tag & 7
        if kind == _VARINT:
            _varint(file)
            length = 0
        elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
            length = 8 if kind == _EIGHT_BYTES else 4
        elif kind == _BYTES:
            length = _varint(file)
        else:
            raise ValueError("is no ONNX file")
        place = file.tell() + length
        if place > size:
            raise ValueError("is no ONNX file, or is cut short")
        if kind == _BYTES:
            yield tag >> 3, length
        file.seek(place)


def _varint(file: BinaryIO) -> int:
    value = 0
    for place in range(_LONGEST_VARINT):
        (byte,) = file.read(1) or (None,)
        if byte is None:
            raise ValueError("is no ONNX file, or is cut short")
        value |= (byte & 0x7F) << 7 * place
        if not byte & 0x80:
            return value
    raise ValueError("is no ONNX file")
