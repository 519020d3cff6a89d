"""What the learned model is told about each workload: mostly logarithms of sizes and ratios.

Raw sizes do not extrapolate and their logarithms do, so every size, count and ratio is one.
Tile-fit ratios say how well a size divides into the blocks that hardware works in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from hetsim.forms.convolution import ConvRows, largest_divisor
from hetsim.learn.encoder import Descriptors
from hetsim.learn.physical.convolution import conv_rows
from hetsim.learn.physical.npu import array_work, element_width
from hetsim.learn.tables.forms import CONVOLUTION, NPU, TRANSFER
from hetsim.learn.tables.table import Column, Measurements
from hetsim.numeric import Floats, Texts
from hetsim.workload.convolution import CLASSES, spelled

BLOCKS = (4, 8, 16)
"""Block sizes whose fit is described."""


def describe(table: Measurements) -> Descriptors:
    """The descriptors of each row of a table of any form."""
    return _DESCRIBE[table.form](table)


def _log(values: Column | Floats) -> Floats:
    return np.asarray(np.log(np.asarray(values, dtype=float)), dtype=float)


def _fill(values: Floats, block: int) -> Floats:
    """How much more is computed than wanted when ``values`` fill whole blocks, as a logarithm."""
    return np.asarray(np.log(np.ceil(values / block) * block / values), dtype=float)


def _convolution(table: Measurements) -> Descriptors:
    numbers = {name: table.number(name) for name in table.columns if table[name].dtype.kind in "iu"}
    labels = {name: np.asarray(table[name], dtype=np.str_) for name in ("op", "dtype")}
    return describe_convolutions(conv_rows(table), numbers, labels)


def describe_convolutions(
    rows: ConvRows, dims: Mapping[str, Floats], labels: Mapping[str, Texts]
) -> Descriptors:
    """Descriptors of convolutions whose sizes are ``dims`` (see :meth:`ConvRows.of`)."""
    numbers: dict[str, Floats] = {
        "batch": _log(dims["n"]),
        "in channels per group": _log(dims["c_in"] / dims["groups"]),
        "out channels per group": _log(dims["c_out"] / dims["groups"]),
        "groups": _log(dims["groups"]),
        "output height": _log(rows.out_h),
        "output width": _log(rows.out_w),
        "kernel height": _log(dims["k_h"]),
        "kernel width": _log(dims["k_w"]),
        "stride height": _log(dims["stride_h"]),
        "stride width": _log(dims["stride_w"]),
        "dilation": _log(dims["dilation_h"] * dims["dilation_w"]),
        "padded": (np.asarray(dims["pad_top"]) > 0).astype(float),
        "macs": _log(rows.macs),
        "macs per byte": _log(rows.macs / rows.data_bytes),
        "input elements": _log(rows.inputs),
        "output elements": _log(rows.outputs),
        "weight elements": _log(rows.weights),
        "reduction": _log(rows.reduction),
        "winograd fits": rows.winograd.astype(float),
    }
    channels_in = np.asarray(dims["c_in"], dtype=float)
    channels_out = np.asarray(dims["c_out"], dtype=float)
    width = np.asarray(rows.out_w, dtype=float)
    for block in BLOCKS:
        numbers[f"width divisor {block}"] = _log(largest_divisor(rows.out_w, block))
        numbers[f"width fill {block}"] = _fill(width, block)
        numbers[f"out channels divisor {block}"] = _log(
            largest_divisor(channels_out.astype(np.int64), block)
        )
        numbers[f"out channels fill {block}"] = _fill(channels_out, block)
        numbers[f"in channels fill {block}"] = _fill(channels_in, block)
    names = np.array([spelled(name) for name in CLASSES])
    ranged = (
        "batch", "in channels per group", "out channels per group", "groups", "output height",
        "output width", "kernel height", "kernel width", "stride height", "stride width",
        "dilation", "macs",
    )  # fmt: skip
    return Descriptors(numbers, {"class": names[rows.variant], **labels}, ranged)


def _npu(table: Measurements) -> Descriptors:
    get = table.number
    width = element_width(table["input_0_datatype"])
    pixels = get("output_0_height") * get("output_0_width")
    kernel = get("kernel_height") * get("kernel_width")
    numbers: dict[str, Floats] = {
        "batch": _log(get("input_0_batch")),
        "in channels": _log(get("input_0_channels")),
        "out channels": _log(get("output_0_channels")),
        "input height": _log(get("input_0_height")),
        "input width": _log(get("input_0_width")),
        "output height": _log(get("output_0_height")),
        "output width": _log(get("output_0_width")),
        "kernel height": _log(get("kernel_height")),
        "kernel width": _log(get("kernel_width")),
        "kernel area": _log(kernel),
        "stride height": _log(get("kernel_stride_height")),
        "stride width": _log(get("kernel_stride_width")),
        "padding top": _log(1 + get("kernel_pad_top")),
        "padding bottom": _log(1 + get("kernel_pad_bottom")),
        "padding sides": _log(1 + get("kernel_pad_left") + get("kernel_pad_right")),
        "pixels": _log(pixels),
        "macs": _log(get("macs")),
        "work": _log(array_work(table)),
        "element bytes": _log(width),
        "channel bytes": _log(get("output_0_channels") * width),
        "write tiles": _log(get("output_write_tiles")),
        "input sparsity": get("input_sparsity_enabled") * (1 + get("input_sparsity_rate")),
        "weight sparsity": get("weight_sparsity_enabled") * (1 + get("weight_sparsity_rate")),
    }
    for block in (4, 8, 16, 64):
        numbers[f"width fill {block}"] = _fill(get("output_0_width"), block)
        numbers[f"height fill {block}"] = _fill(get("output_0_height"), block)
    for block in (16, 32, 64):
        numbers[f"channel bytes fill {block}"] = _fill(get("output_0_channels") * width, block)
        numbers[f"channel fill {block}"] = _fill(get("output_0_channels"), block)
    labels = {
        name: np.asarray(table[name], dtype=np.str_)
        for name in ("operation", "input_0_datatype", "output_0_datatype", "execution_order",
                     "isi_strategy")
    }  # fmt: skip
    ranged = (
        "batch", "in channels", "out channels", "output height", "output width", "kernel height",
        "kernel width", "stride height", "stride width", "macs",
    )  # fmt: skip
    return Descriptors(numbers, labels, ranged)


def _transfer(table: Measurements) -> Descriptors:
    size = table.number("bytes")
    numbers = {
        "bytes": _log(size),
        "size fill 64": _fill(size, 64),
        "size fill 4096": _fill(size, 4096),
    }
    labels = {"direction": np.asarray(table["direction"], dtype=np.str_)}
    return Descriptors(numbers, labels, ("bytes",))


_DESCRIBE: Mapping[str, Callable[[Measurements], Descriptors]] = {
    CONVOLUTION.name: _convolution,
    NPU.name: _npu,
    TRANSFER.name: _transfer,
}
