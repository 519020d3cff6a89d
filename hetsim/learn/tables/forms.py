"""The forms of measurement file hetsim reads: their columns, and what a sane row looks like.

A form is recognised by its columns. Each has a check of one row, which returns the derived columns
(output sizes, multiply-accumulates) or says what does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hetsim.workload.graph import DTYPE_BYTES

LARGEST = 10**18
"""More operations or elements than this are a mistake."""

Row = dict[str, int | float | str]
"""One parsed row: whole numbers, real numbers and text by column."""


class RowError(Exception):
    """A row that contradicts itself; ``kind`` groups faults of one sort."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Form:
    """Columns of one form of file.

    ``defaults`` are the values of columns that may be absent. ``zero_ok`` are whole-number columns
    that may be zero; all other whole numbers are at least one. ``device_columns`` together name
    the device a row was measured on. ``ignored_in_key`` do not tell two measurements apart.
    ``large`` columns hold products of sizes.
    """

    name: str
    unit: str
    integers: tuple[str, ...]
    texts: tuple[str, ...]
    time_prefixes: tuple[str, ...]
    check: Callable[[Row], Row]
    reals: tuple[str, ...] = ()
    defaults: Mapping[str, int | float | str] = field(default_factory=dict)
    zero_ok: frozenset[str] = frozenset()
    device_columns: tuple[str, ...] = ("device",)
    ignored_in_key: frozenset[str] = frozenset({"family"})
    large: frozenset[str] = frozenset({"macs", "bytes", "theoretical_cycles"})

    @property
    def required(self) -> tuple[str, ...]:
        """Columns a file of this form must have (besides a time)."""
        every = (*self.texts, *self.integers, *self.reals)
        return tuple(name for name in every if name not in self.defaults)


def _number(row: Row, name: str) -> int:
    value = row[name]
    assert isinstance(value, int)
    return value


def output_extent(size: int, before: int, after: int, kernel: int, stride: int, dil: int) -> int:
    """Output size of a convolution along one axis; zero or less when the kernel does not fit."""
    return (size + before + after - dil * (kernel - 1) - 1) // stride + 1


def _check_convolution(row: Row) -> Row:
    n = {name: _number(row, name) for name in _CONV_INTEGERS if name != "macs"}
    kind = "shape does not fit"
    for name in ("c_in", "c_out"):
        if n[name] % n["groups"]:
            raise RowError(kind, f"{name} {n[name]} cannot be divided into {n['groups']} groups")
    out_h = output_extent(
        n["h_in"], n["pad_top"], n["pad_bottom"], n["k_h"], n["stride_h"], n["dilation_h"]
    )
    out_w = output_extent(
        n["w_in"], n["pad_left"], n["pad_right"], n["k_w"], n["stride_w"], n["dilation_w"]
    )
    if out_h < 1 or out_w < 1:
        raise RowError(
            kind,
            f"a {n['k_h']}x{n['k_w']} kernel leaves no output of a {n['h_in']}x{n['w_in']} input"
            f" (output {out_h}x{out_w})",
        )
    macs = n["n"] * n["c_out"] * out_h * out_w * (n["c_in"] // n["groups"]) * n["k_h"] * n["k_w"]
    _refuse_absurd(macs, n["n"] * n["c_in"] * n["h_in"] * n["w_in"])
    stated = _number(row, "macs")
    if stated and abs(stated - macs) > 0.01 * macs:
        raise RowError("macs contradict the shape", f"macs is {stated}, but this shape has {macs}")
    if row["dtype"] not in DTYPE_BYTES:
        raise RowError(
            "unknown data type",
            f"dtype {row['dtype']!r} is unknown; known: {', '.join(DTYPE_BYTES)}",
        )
    return {"out_h": out_h, "out_w": out_w, "macs": macs}


def _refuse_absurd(*products: int) -> None:
    """Sizes that are fine one by one and absurd together would overflow later on."""
    if max(products) > LARGEST:
        raise RowError("out of range", f"the shape has {max(products):.1e} operations or elements")


_CONV_INTEGERS = (
    "n", "c_in", "h_in", "w_in", "c_out", "k_h", "k_w", "stride_h", "stride_w",
    "pad_top", "pad_left", "pad_bottom", "pad_right", "dilation_h", "dilation_w", "groups", "macs",
)  # fmt: skip

CONVOLUTION = Form(
    name="convolution latency",
    unit="seconds",
    integers=_CONV_INTEGERS,
    texts=("device", "pu", "op", "dtype", "family"),
    time_prefixes=("latency", "time", "seconds"),
    check=_check_convolution,
    defaults={
        "device": "device", "pu": "", "op": "Conv", "dtype": "float32", "family": "",
        "n": 1, "dilation_h": 1, "dilation_w": 1, "macs": 0,
    },
    zero_ok=frozenset({"pad_top", "pad_left", "pad_bottom", "pad_right", "macs"}),
    device_columns=("device", "pu", "dtype"),
)  # fmt: skip


def _check_npu(row: Row) -> Row:
    for axis, before, after in (("height", "top", "bottom"), ("width", "left", "right")):
        largest = output_extent(
            _number(row, f"input_0_{axis}"),
            _number(row, f"kernel_pad_{before}"),
            _number(row, f"kernel_pad_{after}"),
            _number(row, f"kernel_{axis}"),
            _number(row, f"kernel_stride_{axis}"),
            1,
        )
        stated = _number(row, f"output_0_{axis}")
        if stated > largest:
            raise RowError(
                "shape does not fit",
                f"output_0_{axis} is {stated}, but this input and kernel give at most {largest}",
            )
    depthwise = "DW" in str(row["operation"]).upper() or "DEPTH" in str(row["operation"]).upper()
    elementwise = "ELT" in str(row["operation"]).upper()
    depth = 1 if depthwise or elementwise else _number(row, "input_0_channels")
    if depthwise and row["input_0_channels"] != row["output_0_channels"]:
        raise RowError(
            "shape does not fit",
            f"a depthwise convolution of {row['input_0_channels']} channels cannot have"
            f" {row['output_0_channels']} output channels",
        )
    macs = depth
    for name in ("input_0_batch", "output_0_channels", "output_0_height", "output_0_width",
                 "kernel_height", "kernel_width"):  # fmt: skip
        macs *= _number(row, name)
    _refuse_absurd(macs)
    return {"macs": macs, "depthwise": int(depthwise), "elementwise": int(elementwise)}


NPU = Form(
    name="NPU cycles",
    unit="cycles",
    integers=(
        "input_0_batch", "input_0_channels", "input_0_height", "input_0_width",
        "output_0_channels", "output_0_height", "output_0_width", "kernel_height", "kernel_width",
        "kernel_pad_top", "kernel_pad_bottom", "kernel_pad_left", "kernel_pad_right",
        "kernel_stride_height", "kernel_stride_width", "output_write_tiles",
        "input_sparsity_enabled", "weight_sparsity_enabled", "theoretical_cycles",
    ),
    reals=("input_sparsity_rate", "weight_sparsity_rate"),
    texts=(
        "device", "operation", "input_0_datatype", "output_0_datatype", "execution_order",
        "isi_strategy", "family",
    ),
    time_prefixes=("measured_cycles", "cycles", "latency"),
    check=_check_npu,
    defaults={
        "device": "device", "family": "", "execution_order": "", "isi_strategy": "",
        "output_write_tiles": 1, "input_sparsity_enabled": 0, "weight_sparsity_enabled": 0,
        "input_sparsity_rate": 0.0, "weight_sparsity_rate": 0.0, "theoretical_cycles": 0,
    },
    zero_ok=frozenset({
        "kernel_pad_top", "kernel_pad_bottom", "kernel_pad_left", "kernel_pad_right",
        "input_sparsity_enabled", "weight_sparsity_enabled", "theoretical_cycles",
    }),
    ignored_in_key=frozenset({"family", "theoretical_cycles"}),
)  # fmt: skip


def _check_transfer(row: Row) -> Row:
    return {}


TRANSFER = Form(
    name="DMA transfers",
    unit="cycles",
    integers=("bytes",),
    texts=("device", "profile", "direction", "family"),
    time_prefixes=("cycles", "latency"),
    check=_check_transfer,
    defaults={"device": "device", "profile": "", "direction": "", "family": ""},
    device_columns=("device", "profile"),
)

SCHEDULE_COLUMNS = frozenset({"execution_order", "isi_strategy", "output_write_tiles"})
"""NPU columns that say how a job is run rather than what it computes."""

FORMS = (CONVOLUTION, NPU, TRANSFER)
