"""Fitting the physical convolution model of :mod:`hetsim.forms.convolution` to one device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hetsim.forms.convolution import (
    PLACES,
    RATES,
    ConvParameters,
    ConvRows,
    seconds,
    winograd_saving,
)
from hetsim.learn.physical.base import Baseline, Fitted
from hetsim.learn.physical.robust import fit_log_parameters
from hetsim.learn.tables.table import Measurements
from hetsim.numeric import Floats
from hetsim.workload.convolution import spelled
from hetsim.workload.graph import DTYPE_BYTES

WIDTH_TILES = (4, 8, 16)
WINOGRAD_TILES = (0, 2, 4)
"""Discrete choices tried; the one that explains the training rows best is kept."""

CEILING_MARGIN = 2.0
"""Without a known peak, hardware is assumed to reach this much more than the best row did."""

FEWEST_ROWS = 16
"""Fewer rows than this are explained by one rate, a bandwidth and a dispatch time alone."""

_DIMS = (
    "n", "c_in", "c_out", "h_in", "w_in", "out_h", "out_w", "k_h", "k_w",
    "stride_h", "stride_w", "dilation_h", "dilation_w", "groups",
)  # fmt: skip


def conv_rows(table: Measurements) -> ConvRows:
    """The rows of a convolution table as the formula wants them."""
    names, member = np.unique(table["dtype"], return_inverse=True)
    element = np.array([float(DTYPE_BYTES[str(name)]) for name in names])[member]
    return ConvRows.of({name: table[name] for name in _DIMS}, element)


@dataclass(frozen=True)
class Ceiling:
    """What the hardware cannot exceed: multiply-accumulates and bytes per second."""

    macs_per_s: float
    bytes_per_s: float

    @classmethod
    def observed(cls, rows: ConvRows, target: Floats) -> Ceiling:
        """From the best that any row reached, with a margin.

        Says nothing about bytes: most convolutions are bound by arithmetic, so the fastest
        traffic seen is no sign of the fastest possible.
        """
        return cls(CEILING_MARGIN * float(np.max(rows.macs / target)), float("inf"))

    def seconds(self, rows: ConvRows) -> Floats:
        """The roofline bound of each row."""
        return np.maximum(rows.macs / self.macs_per_s, rows.data_bytes / self.bytes_per_s)


@dataclass(frozen=True)
class FittedConvolution(Fitted):
    """A device's physical parameters and its ceiling."""

    values: ConvParameters
    ceiling: Ceiling

    def predict(self, table: Measurements) -> Floats:
        """Latency by the formula, seconds."""
        return seconds(self.values, conv_rows(table))

    def floor(self, table: Measurements) -> Floats:
        """The roofline bound, seconds."""
        return self.ceiling.seconds(conv_rows(table))

    def parameters(self) -> Mapping[str, float]:
        """Flat names, e.g. ``rate.depthwise``; the dense class is called ``dense``."""
        p = self.values
        flat = {f"rate.{spelled(name)}": p.rate[name] for name in RATES}
        flat |= {f"input_s.{spelled(name)}": p.input_s[name] for name in PLACES}
        flat |= {f"output_s.{spelled(name)}": p.output_s[name] for name in PLACES}
        return flat | {
            "reduction_s": p.reduction_s,
            "dispatch_s": p.dispatch_s,
            "bandwidth": p.bandwidth,
            "width_penalty": p.width_penalty,
            "width_tile": float(p.width_tile),
            "winograd_tile": float(p.winograd_tile),
            "ceiling.macs_per_s": self.ceiling.macs_per_s,
            "ceiling.bytes_per_s": self.ceiling.bytes_per_s,
        }


@dataclass(frozen=True)
class ConvBaseline(Baseline):
    """The physical model of a CPU or accelerator.

    ``peak_macs_per_s`` and ``peak_bytes_per_s`` (from a SoC description) bound the rates; without
    them rates are free and the bound is what the rows themselves reached.
    """

    peak_macs_per_s: float | None = None
    peak_bytes_per_s: float | None = None
    name: str = "calibrated"

    def fit(self, table: Measurements) -> FittedConvolution:
        """Tries every pair of tiles and keeps the one with the least robust loss."""
        rows = conv_rows(table)
        ceiling = Ceiling.observed(rows, table.target)
        if len(table) < FEWEST_ROWS:
            return FittedConvolution(self._fit_plain(rows, table.target), ceiling)
        best: tuple[float, ConvParameters] | None = None
        # A Winograd tile means nothing to rows that cannot use it.
        for winograd in WINOGRAD_TILES if rows.winograd.any() else (0,):
            for width in WIDTH_TILES:
                parameters, loss = self._fit_with(rows, table.target, width, winograd)
                if best is None or loss < best[0] - 1e-9:
                    best = loss, parameters
        assert best is not None
        if self.peak_macs_per_s is not None and self.peak_bytes_per_s is not None:
            saving = winograd_saving(best[1].winograd_tile) if best[1].winograd_tile else 1.0
            ceiling = Ceiling(self.peak_macs_per_s / saving, self.peak_bytes_per_s)
        return FittedConvolution(best[1], ceiling)

    def _fit_plain(self, rows: ConvRows, target: Floats) -> ConvParameters:
        """One rate for every class, nothing per element: what a handful of rows can tell."""
        start = _start(rows, target)
        begin = np.array([1.0 / start[0], start[_DISPATCH], 1.0 / start[_BANDWIDTH]])
        limit = np.array([self.peak_macs_per_s or np.inf, np.inf, self.peak_bytes_per_s or np.inf])

        def plain(values: Floats) -> ConvParameters:
            rate, dispatch, bandwidth = values.tolist()
            return ConvParameters(
                rate=dict.fromkeys(RATES, rate),
                input_s=dict.fromkeys(PLACES, 0.0),
                output_s=dict.fromkeys(PLACES, 0.0),
                dispatch_s=dispatch,
                bandwidth=bandwidth,
            )

        found, _ = fit_log_parameters(lambda v: seconds(plain(v), rows), target, begin, limit)
        return plain(found)

    def _fit_with(
        self, rows: ConvRows, target: Floats, width: int, winograd: int
    ) -> tuple[ConvParameters, float]:
        start = _start(rows, target)
        upper = np.full(len(start), np.inf)
        upper[_WIDTH_PENALTY] = width
        invert = np.zeros(len(start), dtype=bool)
        invert[: len(RATES)] = invert[_BANDWIDTH] = True
        lower_time = np.zeros(len(start))
        if self.peak_macs_per_s is not None:
            lower_time[: len(RATES)] = 1.0 / self.peak_macs_per_s
        if self.peak_bytes_per_s is not None:
            lower_time[_BANDWIDTH] = 1.0 / self.peak_bytes_per_s
        # Rates are searched as rates, so that an upper bound is a bound on the parameter.
        begin = np.where(invert, 1.0 / start, start)
        limit = np.where(lower_time > 0, 1.0 / np.where(lower_time > 0, lower_time, 1.0), upper)

        def predict(values: Floats) -> Floats:
            return seconds(_unpack(values, width, winograd), rows)

        found, loss = fit_log_parameters(predict, target, begin, limit)
        return _unpack(found, width, winograd), loss

    def restore(self, parameters: Mapping[str, float]) -> FittedConvolution:
        """The inverse of :meth:`FittedConvolution.parameters`."""
        get = parameters.__getitem__
        values = ConvParameters(
            rate={name: get(f"rate.{spelled(name)}") for name in RATES},
            input_s={name: get(f"input_s.{spelled(name)}") for name in PLACES},
            output_s={name: get(f"output_s.{spelled(name)}") for name in PLACES},
            reduction_s=get("reduction_s"),
            dispatch_s=get("dispatch_s"),
            bandwidth=get("bandwidth"),
            width_penalty=get("width_penalty"),
            width_tile=int(get("width_tile")),
            winograd_tile=int(get("winograd_tile")),
        )
        return FittedConvolution(
            values, Ceiling(get("ceiling.macs_per_s"), get("ceiling.bytes_per_s"))
        )


# The parameter vector: rates (from seconds per MAC), seconds per element, then the rest.
_INPUTS = len(RATES)
_OUTPUTS = _INPUTS + len(PLACES)
_REDUCTION = _OUTPUTS + len(PLACES)
_DISPATCH, _BANDWIDTH, _WIDTH_PENALTY = _REDUCTION + 1, _REDUCTION + 2, _REDUCTION + 3


def _start(rows: ConvRows, target: Floats) -> Floats:
    """Where the search begins, as times: medians of the rows, and guesses that rows may refute."""
    per_mac = float(np.median(target / rows.macs))
    per_element = float(np.median(target / (rows.inputs + rows.outputs)))
    elements = [per_element * share for share in (0.1, 0.1, 0.37)]
    rest = (
        float(np.median(target / rows.reduction)) * 0.01,
        float(target.min()) * 0.1,
        # Every row is evidence that bandwidth is at least this; how much more is seldom seen.
        float(np.min(target / rows.data_bytes)) / 5.0,
        0.2,
    )
    return np.array([per_mac] * len(RATES) + elements + elements + list(rest))


def _unpack(values: Floats, width: int, winograd: int) -> ConvParameters:
    v = values.tolist()
    return ConvParameters(
        rate=dict(zip(RATES, v[:_INPUTS], strict=True)),
        input_s=dict(zip(PLACES, v[_INPUTS:_OUTPUTS], strict=True)),
        output_s=dict(zip(PLACES, v[_OUTPUTS:_REDUCTION], strict=True)),
        reduction_s=v[_REDUCTION],
        dispatch_s=v[_DISPATCH],
        bandwidth=v[_BANDWIDTH],
        width_penalty=v[_WIDTH_PENALTY],
        width_tile=width,
        winograd_tile=winograd,
    )
