"""How long a convolution's arithmetic takes on cores with vector units: the physical form.

Beside multiply-accumulates at a rate, a convolution on a CPU or GPU pays for each input element it
packs or loads, for each output element it writes, and for filling its accumulation pipeline once.
So the share of the peak that it reaches is not one number: it rises with the reuse of each tensor
(MACs per input element: c_out * k^2 / stride^2 per group; MACs per output element: c_in * k^2) as
x / (x + x_half), which is the same statement. On top:

* register tiles divide the output width exactly (tuned kernels avoid remainders), so a width with
  no good divisor d wastes the share ``width_penalty / d``;
* stride-1 3x3 convolutions may run as Winograd F(m x m, 3 x 3) (Lavin & Gray, CVPR 2016): (m+2)^2
  multiplications for m^2 outputs in place of 9 m^2, output tiles padded to multiples of m, and
  costlier inputs and outputs (the transforms). Whichever is faster is taken, as a tuner does.

    direct   = macs / rate[class] * (1 + width_penalty / d(out_w))
               + inputs * input_s[class] + outputs * output_s[class]
    winograd = pad * (macs * ((m+2) / (3m))^2 / rate[winograd]
               + inputs * input_s[winograd] + outputs * output_s[winograd])
    compute  = min(direct, winograd) + reduction * reduction_s
    seconds  = dispatch_s + max(compute, bytes / bandwidth)

Everything is vectorised over rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from hetsim.numeric import Bools, Floats, Ints
from hetsim.workload.convolution import CLASSES, conditions
from hetsim.workload.graph import LoopNest

WINOGRAD = "winograd"

RATES = (*CLASSES, WINOGRAD)
"""What has a rate of its own: the classes, and the products of Winograd's transform."""

PLACES = ("", "depthwise", WINOGRAD)
"""What has element costs of its own; all other classes have those of ``""``."""


@dataclass(frozen=True)
class ConvRows:
    """What the formula needs to know of each convolution, one array element a row.

    ``variant`` indexes :data:`~hetsim.workload.convolution.CLASSES`; ``inputs``, ``outputs``,
    ``weights`` count elements, ``reduction`` the terms of one output's sum, ``data_bytes`` all
    bytes that must move.
    """

    variant: Ints
    macs: Floats
    inputs: Floats
    outputs: Floats
    weights: Floats
    reduction: Floats
    out_h: Ints
    out_w: Ints
    winograd: Bools
    data_bytes: Floats

    def __len__(self) -> int:
        return len(self.macs)

    # A fit asks thousands of times about the same rows: what only they decide is computed once.

    @cached_property
    def depthwise(self) -> Bools:
        """Which rows are depthwise."""
        return np.asarray(self.variant == CLASSES.index("depthwise"))

    @cached_property
    def _divisors(self) -> dict[int, Floats]:
        return {}

    def divisor(self, most: int) -> Floats:
        """The largest divisor not above ``most`` of each row's output width."""
        if most not in self._divisors:
            self._divisors[most] = largest_divisor(self.out_w, most)
        return self._divisors[most]

    @cached_property
    def _paddings(self) -> dict[int, Floats]:
        return {}

    def padding(self, tile: int) -> Floats:
        """Outputs computed per output wanted when tiles of ``tile`` x ``tile`` cover the image."""
        if tile not in self._paddings:
            self._paddings[tile] = winograd_padding(self.out_h, self.out_w, tile)
        return self._paddings[tile]

    @classmethod
    def of(cls, dims: Mapping[str, Ints], element_bytes: Floats) -> ConvRows:
        """Rows from arrays ``n, c_in, c_out, h_in, w_in, out_h, out_w, k_h, k_w, stride_h, ...``.

        ``c_in`` and ``c_out`` are totals over ``groups``.
        """
        d = {name: np.asarray(values, dtype=np.int64) for name, values in dims.items()}
        kernel = d["k_h"] * d["k_w"]
        reduction = d["c_in"] // d["groups"] * kernel
        outputs = d["n"] * d["c_out"] * d["out_h"] * d["out_w"]
        inputs = d["n"] * d["c_in"] * d["h_in"] * d["w_in"]
        weights = d["c_out"] * reduction
        classes = conditions(d["groups"], d["c_in"] // d["groups"], kernel)
        of_class = [CLASSES.index(name) for name in classes]
        dense = CLASSES.index("")
        variant = np.select(list(classes.values()), of_class, dense).astype(np.int64)
        unit = (d["stride_h"] == 1) & (d["stride_w"] == 1)
        unit &= (d["dilation_h"] == 1) & (d["dilation_w"] == 1)
        return cls(
            variant=variant,
            macs=(outputs * reduction).astype(float),
            inputs=inputs.astype(float),
            outputs=outputs.astype(float),
            weights=weights.astype(float),
            reduction=reduction.astype(float),
            out_h=d["out_h"],
            out_w=d["out_w"],
            winograd=(variant == dense) & unit & (d["k_h"] == 3) & (d["k_w"] == 3),
            data_bytes=element_bytes * (inputs + outputs + weights),
        )

    @classmethod
    def of_nests(cls, nests: Iterable[LoopNest], element_bytes: float) -> ConvRows:
        """Rows from loop nests (whose channels are per group)."""
        rows = list(nests)
        names = ("k_h", "k_w", "stride_h", "stride_w", "dilation_h", "dilation_w", "out_h", "out_w")
        dims = {name: np.array([getattr(nest, name) for nest in rows]) for name in names}
        dims |= {
            "n": np.array([nest.batch for nest in rows]),
            "c_in": np.array([nest.in_c * nest.groups for nest in rows]),
            "c_out": np.array([nest.out_c * nest.groups for nest in rows]),
            "h_in": np.array([nest.in_h for nest in rows]),
            "w_in": np.array([nest.in_w for nest in rows]),
            "groups": np.array([nest.groups for nest in rows]),
        }
        return cls.of(dims, np.full(len(rows), element_bytes))


@dataclass(frozen=True)
class ConvParameters:
    """The physical parameters of one device.

    ``rate`` in MAC/s of each of :data:`RATES`; ``input_s``, ``output_s`` in seconds per element for
    each of :data:`PLACES`; ``reduction_s`` seconds per term of an output's sum;
    ``dispatch_s`` seconds; ``bandwidth`` B/s; ``winograd_tile`` 0 = never used.
    """

    rate: Mapping[str, float]
    input_s: Mapping[str, float]
    output_s: Mapping[str, float]
    reduction_s: float = 0.0
    dispatch_s: float = 0.0
    bandwidth: float = float("inf")
    width_penalty: float = 0.0
    width_tile: int = 8
    winograd_tile: int = 0
    provenance: Mapping[str, str] = field(default_factory=dict)


def largest_divisor(values: Ints, most: int) -> Floats:
    """The largest divisor not above ``most`` of each value."""
    # Few sizes occur, however many rows there are.
    sizes, member = np.unique(values, return_inverse=True)
    best = np.ones(len(sizes))
    for divisor in range(2, most + 1):
        best[sizes % divisor == 0] = divisor
    return best[member]


def winograd_padding(out_h: Ints, out_w: Ints, tile: int) -> Floats:
    """Outputs computed per output wanted when tiles of ``tile`` x ``tile`` cover images."""
    high = np.ceil(out_h / tile) * tile / out_h
    wide = np.ceil(out_w / tile) * tile / out_w
    return np.asarray(high * wide, dtype=float)


def winograd_saving(tile: int) -> float:
    """Multiplications of F(tile x tile, 3 x 3) as a share of the direct ones."""
    return ((tile + 2) / (3 * tile)) ** 2


def compute_seconds(p: ConvParameters, rows: ConvRows) -> Floats:
    """Arithmetic time of each row with all data at hand, seconds."""
    rates = np.array([p.rate[name] for name in CLASSES])
    depthwise = rows.depthwise
    per_input = np.where(depthwise, p.input_s["depthwise"], p.input_s[""])
    per_output = np.where(depthwise, p.output_s["depthwise"], p.output_s[""])
    waste = 1.0 + p.width_penalty / rows.divisor(p.width_tile)
    time = rows.macs / rates[rows.variant] * waste
    time = time + rows.inputs * per_input + rows.outputs * per_output
    if p.winograd_tile:
        fast = rows.macs * winograd_saving(p.winograd_tile) / p.rate[WINOGRAD]
        fast = fast + rows.inputs * p.input_s[WINOGRAD] + rows.outputs * p.output_s[WINOGRAD]
        time = np.where(rows.winograd, np.minimum(time, fast * rows.padding(p.winograd_tile)), time)
    return np.asarray(time + rows.reduction * p.reduction_s, dtype=float)


def seconds(p: ConvParameters, rows: ConvRows) -> Floats:
    """Latency of each row alone on the device, seconds."""
    moved = rows.data_bytes / p.bandwidth
    return np.asarray(p.dispatch_s + np.maximum(compute_seconds(p, rows), moved), dtype=float)
