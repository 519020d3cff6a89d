"""A smaller model of the same jobs as a VPUNN file: a network an operation, and its file.

:mod:`hetsim.learn.vpunn.teaching` makes it.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hetsim.drafts import write_file
from hetsim.errors import ConfigError, Location
from hetsim.infiles import read_bytes
from hetsim.learn.archive import DAMAGES, MODEL_LIMIT, unpacked
from hetsim.learn.vpunn.descriptors import JOBS
from hetsim.learn.vpunn.network import BATCH, Rows
from hetsim.learn.vpunn.samples import asked_as
from hetsim.learn.vpunn.workloads import OPERATIONS, Workloads
from hetsim.numeric import Bools, Floats

MARK = "student"
"""The first array of a student's file, by which it is known: version of its descriptor."""

Layers = list[tuple[Rows, Rows]]
"""Weights (inputs, outputs) and bias of each layer, 32-bit floats."""


@dataclass(frozen=True, eq=False)
class Small:
    """The network of one operation.

    ``used`` are the positions it reads of a descriptor's row; all others have to be as in ``row``.
    ``low`` and ``high``: the range of each number in training, which ``layers`` expect unscaled.
    """

    used: NDArray[np.int64]
    row: Rows
    low: Rows
    high: Rows
    layers: Layers

    def inside(self, rows: Rows) -> Bools:
        """Which rows are within the range it was trained on."""
        same = rows == self.row
        same[:, self.used] = (rows[:, self.used] >= self.low) & (rows[:, self.used] <= self.high)
        return np.asarray(same.all(axis=1))

    def predict(self, rows: Rows) -> Rows:
        """One number a row."""
        with np.errstate(over="ignore", invalid="ignore"):
            return _forward(self.layers, rows[:, self.used])


@dataclass(frozen=True, eq=False)
class Student:
    """Cycles of jobs, by one small network an operation. ``name`` is the teacher's."""

    name: str
    descriptor: int
    networks: Mapping[int, Small]

    def cycles(self, jobs: Workloads) -> Floats:
        """Of each job; not a number where it was not trained on such a one."""
        rows = JOBS[self.descriptor].rows(jobs)
        found = np.full(len(jobs), np.nan)
        operation = asked_as(jobs.operation)
        for number, network in self.networks.items():
            places = np.flatnonzero(operation == number)
            for begin in range(0, len(places), BATCH):
                at = places[begin : begin + BATCH]
                known = network.inside(rows[at])
                at = at[known]
                if len(at):
                    found[at] = np.maximum(network.predict(rows[at]), 1.0)
        return np.asarray(np.ceil(found))


def _forward(layers: Layers, signal: Rows) -> Rows:
    for weight, bias in layers[:-1]:
        signal = signal @ weight
        signal += bias
        np.maximum(signal, np.float32(0.0), out=signal)
    weight, bias = layers[-1]
    out: Rows = (signal @ weight + bias)[:, 0]
    return out


def save_student(student: Student, path: Path) -> None:
    """Writes ``student``; whatever stood at ``path`` is replaced."""
    arrays: dict[str, Any] = {
        MARK: np.array(student.descriptor),
        "name": np.array(json.dumps(student.name)),
    }
    for number, small in student.networks.items():
        for field in ("used", "row", "low", "high"):
            arrays[f"{number}.{field}"] = getattr(small, field)
        for i, (weight, bias) in enumerate(small.layers):
            # The first layer reads numbers of every size; 16 bits are enough for the others.
            kept = np.float16 if i else np.float32
            arrays[f"{number}.{i}.weight"] = weight.astype(kept)
            arrays[f"{number}.{i}.bias"] = bias
    content = io.BytesIO()
    np.savez(content, **arrays)
    write_file(path, content.getvalue())


def is_student(head: bytes) -> bool:
    """Whether a file that begins so is a student's: an archive whose first member is the mark."""
    return head[:2] == b"PK" and f"{MARK}.npy".encode() in head[:64]


def load_student(path: str | Path) -> Student:
    """Reads what :func:`save_student` wrote; once as long as the file stays as it is.

    Raises:
        ConfigError: no such file, damaged, or of a descriptor that is not known.
    """
    try:
        state = Path(path).stat()
    except OSError:
        return _load(Path(path), 0, 0)
    return _load(Path(path), state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=8)
def _load(path: Path, changed: int, size: int) -> Student:
    where = Location(str(path))
    content = read_bytes(path, limit=MODEL_LIMIT)
    try:
        with np.errstate(all="ignore"):  # what does not fit 32 bits is no number then
            student = _rebuilt(unpacked(content, texts={"name"}))
    except DAMAGES as error:
        raise ConfigError(
            f"this is not a student of a VPUNN model ({type(error).__name__}: {error})",
            where=where,
            hint="make it again with: python benchmarks/vpunn.py --teach FILE",
        ) from None
    if student.descriptor not in JOBS:
        raise ConfigError(
            f"it reads descriptor {student.descriptor}, which is not known",
            where=where,
            hint=f"known: {', '.join(map(str, JOBS))}",
        )
    return student


def _rebuilt(arrays: Mapping[str, Any]) -> Student:
    networks = {}
    for number in range(len(OPERATIONS)):
        if f"{number}.used" not in arrays:
            continue
        layers: Layers = []
        while f"{number}.{len(layers)}.weight" in arrays:
            at = f"{number}.{len(layers)}"
            weight, bias = arrays[f"{at}.weight"], arrays[f"{at}.bias"]
            layers.append((weight.astype(np.float32), bias.astype(np.float32)))
        used, row, low, high = (arrays[f"{number}.{f}"] for f in ("used", "row", "low", "high"))
        small = Small(used, row, low, high, layers)
        layout = JOBS.get(int(arrays[MARK]))
        if layout is not None and row.shape != (layout.width,):
            raise ValueError(f"{len(row)} numbers are no row of its descriptor")
        if used.ndim != 1 or not used.shape == low.shape == high.shape:
            raise ValueError("its ranges are not of the numbers that it reads")
        # Networks whose shapes do not fit each other fail here and not in a run.
        if not np.isfinite(small.predict(row[None, :])).all():
            raise ValueError(f"the network of {OPERATIONS[number]} does not answer with a number")
        networks[number] = small
    if not networks:
        raise ValueError("it holds no network")
    return Student(str(json.loads(str(arrays["name"]))), int(arrays[MARK]), networks)
