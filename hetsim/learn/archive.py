"""The arrays of an .npz file that nobody vouches for."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Collection
from math import prod
from typing import Any

import numpy as np

from hetsim.infiles import MIB

MODEL_LIMIT = 256 * MIB
"""Largest model that is read, also unpacked. Bytes."""

# What numpy, zipfile and zlib raise for damaged archives; zipfile has a kind of RuntimeError for an
# unknown compression method.
DAMAGES = (
    ArithmeticError, AttributeError, LookupError, TypeError, ValueError, EOFError, OSError,
    RuntimeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def unpacked(content: bytes, texts: Collection[str], limit: int = MODEL_LIMIT) -> dict[str, Any]:
    """The arrays of a file, none of them larger than what the file holds for it.

    Together they may take ``limit`` bytes. All but ``texts`` are finite numbers. Raises one of
    :data:`DAMAGES`.
    """
    arrays: dict[str, Any] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        if sum(member.file_size for member in packed.infolist()) > limit:
            raise ValueError(f"it unpacks to more than {limit:,} bytes")
        for member in packed.infolist():
            with packed.open(member) as stream:
                raw = stream.read(limit)
            head = io.BytesIO(raw)
            version = np.lib.format.read_magic(head)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else (
                np.lib.format.read_array_header_2_0
            )  # fmt: skip
            shape, _, dtype = read(head)
            if dtype.hasobject or prod(shape) * dtype.itemsize != len(raw) - head.tell():
                raise ValueError(f"{member.filename} is not as large as it says")
            name = member.filename.removesuffix(".npy")
            arrays[name] = np.lib.format.read_array(io.BytesIO(raw), allow_pickle=False)
            if name not in texts and not (dtype.kind in "fiu" and np.isfinite(arrays[name]).all()):
                raise ValueError(f"{member.filename} holds something else than numbers")
    return arrays
