"""What a VPUNN file predicts: cycles of jobs of the array, or seconds of transfers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from hetsim.learn.vpunn.descriptors import JOBS, TRANSFERS, Asked, Descriptor
from hetsim.learn.vpunn.file import VPUNNFile, read_vpunn
from hetsim.learn.vpunn.workloads import Transfers, Workloads
from hetsim.numeric import Floats

_CYCLES = frozenset({2, 4, 5})
"""Versions of an answer that are cycles."""

_SHARE = 1
"""The version that is a share of the DMA interface's bytes a cycle."""

_LEAST_RATE = 1 / 200
"""Bytes a cycle: no transfer is believed to be slower."""

_INTERFACE: Mapping[int, tuple[float, float]] = {1: (32.0, 975e6), 2: (64.0, 971e6)}
"""Bytes a cycle of one DMA engine and its clock in hertz, by version of the descriptor.

VPU 2.7 and NPU 4.0, from the library's characteristics of both (``hw_characteristics/``).
"""


@dataclass(frozen=True)
class JobModel:
    """Cycles of the DPU clock of jobs of one tile's array."""

    file: VPUNNFile
    descriptor: Descriptor[Workloads]

    @property
    def name(self) -> str:
        """As the file calls it."""
        return self.file.name

    def cycles(self, jobs: Workloads) -> Floats:
        """Of each job; whole cycles, as the library rounds them."""
        raw = self.file.network.predict(self.descriptor.rows(jobs))
        return np.ceil(np.maximum(raw, 1.0))


@dataclass(frozen=True)
class TransferModel:
    """Times of transfers that one DMA engine makes alone."""

    file: VPUNNFile
    descriptor: Descriptor[Transfers]

    def seconds(self, transfers: Transfers) -> Floats:
        """Of each transfer."""
        width, clock = _INTERFACE[self.file.descriptor]
        share = self.file.network.predict(self.descriptor.rows(transfers))
        rate = np.clip(share * width, _LEAST_RATE, width)
        return np.asarray(transfers.bytes / rate / clock, dtype=float)


@lru_cache(maxsize=8)
def _read(path: Path, changed: int, size: int) -> VPUNNFile:
    return read_vpunn(path)


def _known(path: Path, layouts: Mapping[int, Descriptor[Asked]], what: str) -> VPUNNFile:
    try:
        state = path.stat()
        file = _read(path, state.st_mtime_ns, state.st_size)
    except OSError:
        file = read_vpunn(path)
    layout = layouts.get(file.descriptor)
    if layout is None or layout.width != file.network.inputs:
        raise file.error(
            f"{file.name!r} reads {file.network.inputs} numbers of descriptor"
            f" {file.descriptor}, which is none of {what}",
            hint="known: " + ", ".join(f"{n} ({d.width} numbers)" for n, d in layouts.items()),
        )
    return file


def job_model(path: str | Path) -> JobModel:
    """The model in the file at ``path``; read once as long as the file stays as it is.

    Raises:
        ConfigError: as :func:`~hetsim.learn.vpunn.file.read_vpunn`; a descriptor or an answer of a
            version that is not known.
    """
    file = _known(Path(path), JOBS, "a job of the array")
    if file.answer not in _CYCLES:
        raise file.error(f"its answer is of version {file.answer}, not cycles ({_CYCLES})")
    return JobModel(file, JOBS[file.descriptor])


def transfer_model(path: str | Path) -> TransferModel:
    """The model of transfers in the file at ``path``.

    Raises:
        ConfigError: as :func:`job_model`.
    """
    file = _known(Path(path), TRANSFERS, "a transfer")
    if file.answer != _SHARE:
        raise file.error(f"its answer is of version {file.answer}, not a share of bandwidth (1)")
    return TransferModel(file, TRANSFERS[file.descriptor])
