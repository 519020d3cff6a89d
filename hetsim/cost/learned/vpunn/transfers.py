"""DMA engines as a VPUNN file knows them: how long transfers take, by size."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from hetsim.cost.analytical.pipeline import Engine
from hetsim.learn.vpunn.model import TransferModel, transfer_model
from hetsim.learn.vpunn.workloads import DIRECTIONS, Transfers
from hetsim.numeric import Array, Floats

ENGINES = 2
"""Both generations have two DMA engines (``dma_ports``); a transfer is divided between them."""

_STEPS = 8
_LARGEST = 20
"""Sizes are asked about in eighths of an octave up to 1 MiB; beyond it at the rate of that."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Seconds of one engine over ``sizes`` in bytes, from memory to a tile and back."""

    sizes: Floats
    loading: Floats
    storing: Floats

    @classmethod
    def of(cls, model: TransferModel) -> Curve:
        """What ``model`` says; a longer transfer never takes less."""
        sizes = np.unique(np.round(2.0 ** np.arange(0, _LARGEST + 1e-9, 1 / _STEPS)))
        asked = sizes.astype(np.int64)
        seconds = [
            np.maximum.accumulate(
                model.seconds(
                    Transfers(asked, np.full(len(asked), DIRECTIONS.index(name), dtype=np.int64))
                )
            )
            for name in ("DDR2CMX", "CMX2DDR")
        ]
        return cls(sizes, *seconds)

    def at(self, seconds: Floats, moved: Array) -> Floats:
        """Seconds of transfers of ``moved`` bytes, some of them zero."""
        whole = np.maximum(moved / self.sizes[-1], 1.0)
        return np.where(moved > 0, np.interp(moved / whole, self.sizes, seconds) * whole, 0.0)


@dataclass(frozen=True)
class LearnedEngine(Engine):
    """Engines whose time alone a model was trained on; ``way`` may be slower still."""

    curve: Curve = field(kw_only=True)

    def least(self, loads: Array, stores: Array) -> Array:
        """One after the other, each halved between the engines."""
        known = self.curve
        return known.at(known.loading, loads / ENGINES) + known.at(known.storing, stores / ENGINES)


@lru_cache(maxsize=8)
def _curve(model: TransferModel) -> Curve:
    return Curve.of(model)


def transfer_curve(path: Path) -> Curve:
    """That of the file at ``path``.

    Raises:
        ConfigError: as :func:`~hetsim.learn.vpunn.model.transfer_model`.
    """
    return _curve(transfer_model(path))
