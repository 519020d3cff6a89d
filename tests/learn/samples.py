"""Synthetic measurement files with known physics, for the tests of calibration and learning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from hetsim.forms.convolution import ConvParameters, ConvRows, seconds
from hetsim.learn.tables import Measurements, read_measurements

HEADER = (
    "device,pu,op,n,c_in,h_in,w_in,c_out,k_h,k_w,stride_h,stride_w,pad_top,pad_left,pad_bottom,"
    "pad_right,dilation_h,dilation_w,groups,dtype,macs,latency_us"
)

TRUTH = ConvParameters(
    rate={
        "": 8e9, "pointwise": 7e9, "depthwise": 2e9, "grouped": 5e9, "stem": 4e9, "winograd": 6e9,
    },
    input_s={"": 1.0e-9, "depthwise": 0.5e-9, "winograd": 6e-9},
    output_s={"": 1.5e-9, "depthwise": 2.5e-9, "winograd": 8e-9},
    reduction_s=20e-9,
    dispatch_s=5e-6,
    bandwidth=20e9,
    width_penalty=0.5,
    width_tile=8,
    winograd_tile=2,
)  # fmt: skip

Shape = tuple[int, int, int, int, int, int]
"""Input channels, extent, output channels, kernel, stride, groups."""


def shapes(count: int, seed: int = 0) -> list[Shape]:
    """Distinct convolutions as networks have them."""
    rng = np.random.default_rng(seed)
    found: dict[Shape, None] = {}
    while len(found) < count:
        extent = int(rng.choice([7, 8, 13, 14, 17, 28, 35, 56, 112]))
        c_in = int(rng.choice([16, 32, 48, 64, 96, 128, 256, 512]))
        kind = rng.choice(["pointwise", "dense", "depthwise", "stem"], p=[0.45, 0.3, 0.15, 0.1])
        stride = int(rng.choice([1, 2], p=[0.75, 0.25]))
        c_out = int(rng.choice([16, 32, 64, 128, 192, 256]))
        if kind == "stem":
            shape = (3, extent * 2, c_out, int(rng.choice([3, 7])), 2, 1)
        elif kind == "depthwise":
            shape = (c_in, extent, c_in, 3, stride, c_in)
        else:
            shape = (c_in, extent, c_out, 1 if kind == "pointwise" else 3, stride, 1)
        found[shape] = None
    return list(found)


def row_of(shape: Shape, microseconds: float | str, device: str = "toy") -> str:
    """One line of the file; padding keeps the extent at stride 1."""
    c_in, extent, c_out, kernel, stride, groups = shape
    pad = kernel // 2
    out = (extent + 2 * pad - kernel) // stride + 1
    macs = c_out * out * out * (c_in // groups) * kernel * kernel
    return (
        f"{device},cpu,Conv,1,{c_in},{extent},{extent},{c_out},{kernel},{kernel},{stride},{stride},"
        f"{pad},{pad},{pad},{pad},1,1,{groups},float32,{macs},{microseconds}"
    )


def rows_of(chosen: Sequence[Shape]) -> ConvRows:
    """The same shapes as the formula wants them."""
    c_in, extent, c_out, kernel, stride, groups = np.array(chosen).T
    one = np.ones_like(c_in)
    out = (extent + 2 * (kernel // 2) - kernel) // stride + 1
    dims = {
        "n": one, "c_in": c_in, "c_out": c_out, "h_in": extent, "w_in": extent, "out_h": out,
        "out_w": out, "k_h": kernel, "k_w": kernel, "stride_h": stride, "stride_w": stride,
        "dilation_h": one, "dilation_w": one, "groups": groups,
    }  # fmt: skip
    return ConvRows.of(dims, np.full(len(chosen), 4.0))


Quirk = Callable[[Shape], float]


def write_file(
    path: Path,
    chosen: Sequence[Shape],
    *,
    quirk: Quirk = lambda shape: 1.0,
    noise: float = 0.0,
    seed: int = 0,
    truth: ConvParameters = TRUTH,
) -> Path:
    """A file of a device that follows ``truth``, times ``quirk`` and log-normal ``noise``."""
    rng = np.random.default_rng(seed)
    times = seconds(truth, rows_of(chosen)) * 1e6 * np.exp(noise * rng.normal(size=len(chosen)))
    lines = [row_of(s, f"{t * quirk(s):.6f}") for s, t in zip(chosen, times, strict=True)]
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    return path


def table_of(path: Path, count: int = 150, **options: object) -> Measurements:
    """The table of a freshly written file."""
    return read_measurements(write_file(path / "toy.csv", shapes(count), **options))  # type: ignore[arg-type]
