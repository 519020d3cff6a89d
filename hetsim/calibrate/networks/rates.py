"""The numbers of a phone's NPU that measurements of whole networks can tell, as one vector.

Every number is a logarithm beside its prior: what the description says, give or take. A time is the
sum over kernels of the longer of arithmetic and bytes, plus what no rate changes
(:mod:`hetsim.calibrate.networks.demands`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hetsim.calibrate.networks.demands import Columns, Demands
from hetsim.numeric import Floats
from hetsim.soc.mobile_npu import ATTENTION, VOLUME, ReachedSpec

PRIOR = {
    "macs_per_cycle": 0.5, "elements_per_cycle": 0.8, "bandwidth": 0.35, "kernel": 0.8,
    "efficiency": 0.5, "passes": 0.5, "tail": 0.8, "rpc": 0.7,
}  # fmt: skip
"""Standard deviations of ln(value / what the description says). Data sheets give peaks of products
and of memory; what compilers reach of them, and the rest, are guesses within a factor of two."""

RATES = ("macs_per_cycle", "elements_per_cycle", "bandwidth", "kernel")
LEAST_TAIL, LEAST_KERNEL = 0.01, 1e-8
"""What a tail of no passes and a kernel without overhead are taken for, to have a logarithm."""


@dataclass(frozen=True)
class Layout:
    """Where what stands in a vector of one data type: rates, shares, passes, the tail.

    The share ``default`` is not fitted: the rate of products is what all others are relative to.
    """

    columns: Columns

    @property
    def names(self) -> tuple[str, ...]:
        """What each number is, ``efficiency.Conv`` or ``kernel``."""
        shares = (f"efficiency.{name}" for name in self.columns.shares if name != "default")
        passes = (f"passes.{name}" for name in self.columns.passes if name != "default")
        return (*RATES, *shares, *passes, "tail")

    @property
    def deviations(self) -> Floats:
        """Of each number's prior."""
        return np.array([PRIOR[name.partition(".")[0]] for name in self.names])

    def vector(self, reached: ReachedSpec) -> Floats:
        """Logarithms of what a description says."""
        values = {
            "macs_per_cycle": reached.macs_per_cycle,
            "elements_per_cycle": reached.elements_per_cycle,
            "bandwidth": float(reached.bandwidth),
            "kernel": max(float(reached.kernel), LEAST_KERNEL),
            "tail": max(reached.tail, LEAST_TAIL),
            f"efficiency.{ATTENTION}": reached.attention,
            f"efficiency.{VOLUME}": reached.volume,
        }
        values |= {f"efficiency.{name}": share for name, share in reached.efficiency.items()}
        values |= {f"passes.{name}": count for name, count in reached.passes.items()}
        return np.log([values[name] for name in self.names])

    def table(self, vector: Floats, default: tuple[float, float]) -> dict[str, float]:
        """Values by name; ``default`` are the share and the passes that are not fitted."""
        values = dict(zip(self.names, map(float, np.exp(vector)), strict=True))
        return {"efficiency.default": default[0], "passes.default": default[1], **values}


def as_description(values: Mapping[str, float]) -> dict[str, object]:
    """What :meth:`Layout.table` says as an entry of ``dtypes``, all shares at most one."""
    shares = {n.partition(".")[2]: v for n, v in values.items() if n.startswith("efficiency.")}
    passes = {n.partition(".")[2]: v for n, v in values.items() if n.startswith("passes.")}
    most = max(shares.values())
    shares = {name: _rounded(share / most) for name, share in shares.items()}
    attention, volume = shares.pop(ATTENTION), shares.pop(VOLUME)
    return {
        "macs_per_cycle": _rounded(values["macs_per_cycle"] * most),
        "elements_per_cycle": _rounded(values["elements_per_cycle"]),
        "efficiency": shares,
        "attention": attention,
        "volume": volume,
        "passes": {name: _rounded(count) for name, count in passes.items()},
        "tail": _rounded(values["tail"]),
        "bandwidth": f"{_rounded(values['bandwidth'] / 1e9):g} GB/s",
        "kernel": f"{_rounded(values['kernel'] * 1e6):g} us",
    }


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


class Networks:
    """Demands of several networks side by side, so that all their times are one expression."""

    def __init__(self, demands: Sequence[Demands], layout: Layout, reached: ReachedSpec) -> None:
        self.layout = layout
        self.default = reached.efficiency["default"], reached.passes["default"]
        columns = layout.columns
        self._shares = columns.shares.index("default")
        self._passes = columns.passes.index("default")
        self._products = np.concatenate([d.products for d in demands])
        self._elements = np.concatenate([d.elements for d in demands])
        self._tails = np.concatenate([d.tails for d in demands])
        self._bytes = np.concatenate([d.bytes for d in demands])
        self._count = np.concatenate([d.count for d in demands])
        self._owner = np.repeat(np.arange(len(demands)), [len(d.count) for d in demands])
        self._constant = np.array([d.constant for d in demands])

    def seconds(self, vector: Floats, rpc: float, clock: float, path: float) -> Floats:
        """Of each network: ``rpc`` seconds a call, ``clock`` Hz, ``path`` B/s at most."""
        values = np.exp(vector)
        shares, passes = len(self.layout.columns.shares) - 1, len(self.layout.columns.passes) - 1
        share = np.insert(values[4 : 4 + shares], self._shares, self.default[0])
        passed = np.insert(values[4 + shares : 4 + shares + passes], self._passes, self.default[1])
        cycles = self._products @ (1.0 / share) / values[0]
        cycles += (self._elements @ passed + self._tails * values[-1]) / values[1]
        moving = self._bytes / min(values[2], path)
        each = np.maximum(cycles / clock, moving) + values[3]
        total = np.bincount(self._owner, each * self._count, len(self._constant))
        return np.asarray(total + self._constant + rpc, dtype=np.float64)
