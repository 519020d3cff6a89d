"""AutoTVM tuning logs: one JSON object a line, the best result of each operator and device kept.

Read: convolutions (plain, depthwise, grouped) and dense layers, given with their whole geometry, so
no network is needed. A result with an error number is a failed trial, not a time.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hetsim.cost.measured.keys import convolution_key, nest_key
from hetsim.cost.measured.readers.base import Findings, Request, finish, listed
from hetsim.cost.measured.table import Entry, ProfileTable
from hetsim.errors import ConfigError, Location, ResultsError
from hetsim.infiles import read_text
from hetsim.records import parse_json
from hetsim.workload.graph import DTYPE_BYTES, LoopNest

LONGEST_S = 1e9
"""No kernel takes longer; TVM itself writes such a figure where a run failed."""

_DEVICE = (re.compile(r"-model=(\S+)"), re.compile(r"-device=(\S+)"))
"""Where a target names its device, best first."""


class _UnusableError(Exception):
    """A record that cannot be used; the text says why."""


def read(request: Request) -> list[ProfileTable]:
    """Reads tuning logs: one table per device.

    Raises:
        ConfigError: a unit was given, unreadable, or nothing in it that can be used.
    """
    request.refuse_unit("an AutoTVM log")
    best: dict[str, dict[str, Entry]] = {}
    fastest: dict[tuple[str, str], float] = {}
    findings = Findings()
    for path in request.files:
        where = Location(str(path))
        failed, unknown, broken = 0, Counter[str](), []
        for number, line in enumerate(read_text(path).splitlines(), 1):
            if not line.strip():
                continue
            place = Location(str(path), number)
            try:
                device, task, key, seconds, trials = _record(line)
            except _UnusableError as reason:
                broken.append(f"line {number}: {reason}")
                continue
            if not seconds:
                failed += 1
            elif key is None:
                unknown[task] += 1
            else:
                device = request.device or device
                kept = best.setdefault(device, {})
                if seconds < fastest.get((device, key), math.inf):
                    fastest[device, key] = seconds
                    kept[key] = Entry(key, seconds, None, trials, (task,), place)
        if failed:
            findings.add("failed trials", f"{failed} records are failed trials; not used", where)
        kinds = [f"{task} ({count})" for task, count in sorted(unknown.items())]
        findings.several("unknown tasks", "kinds of task are not read", kinds, where)
        if broken:
            message = f"{len(broken)} records cannot be used: {listed(broken)}"
            findings.add("broken records", message, where)
    if not best:
        told = "".join(f"\n    {doubt}" for doubt in findings.doubts)
        names = ", ".join(str(path) for path in request.files)
        raise ConfigError(f"{names}: no tuning record could be used{told}")
    tables = []
    for device, entries in best.items():
        table = ProfileTable.of(
            entries.values(),
            name=device,
            device=device,
            source=f"AutoTVM log {', '.join(path.name for path in request.files)}",
            scope="kernel",
            doubts=findings.doubts,
            remarks=("best tuned result of each operator",),
        )
        tables.append(finish(table, request))
    return tables


def _record(line: str) -> tuple[str, str, str | None, float, int]:
    """Device, task, key (``None`` if its kind is not read), seconds (0 if it failed), samples."""
    try:
        record = parse_json(line, "", ours=False)
    except ResultsError as error:
        raise _UnusableError(error.message) from None
    if not isinstance(record, dict):
        raise _UnusableError("not a record")
    given = record.get("input", record.get("i"))
    result = record.get("result", record.get("r"))
    if not (isinstance(given, list) and len(given) >= 3 and isinstance(result, list)):
        raise _UnusableError("no 'input' of target, task and arguments, or no 'result'")
    target, task, arguments = str(given[0]), str(given[1]), given[2]
    named = [found[1] for pattern in _DEVICE if (found := pattern.search(target))]
    device = next(iter([*named, *target.split()]), "device")
    seconds, trials = _seconds(result)
    for prefix, make in _TASKS.items():
        if task.startswith(prefix):
            try:
                return device, task, make(arguments), seconds, trials
            except (ArithmeticError, LookupError, TypeError, ValueError) as error:
                raise _UnusableError(f"{task}: {error}") from None
    return device, task, None, seconds, trials


def _seconds(result: Sequence[Any]) -> tuple[float, int]:
    times = result[0] if isinstance(result[0], list) else [result[0]]
    if len(result) > 1 and result[1] not in (0, None):
        return 0.0, 0
    # A comparison, because an integer may be too long for a float.
    if not times or not all(isinstance(t, int | float) and abs(t) < LONGEST_S for t in times):
        raise _UnusableError("its result holds no times")
    if min(times) <= 0:
        raise _UnusableError(f"a time of {min(times)} s")
    return sum(times) / len(times), len(times)


def _tensor(argument: Any) -> tuple[list[int], str]:
    tag, shape, dtype = argument
    if tag != "TENSOR" or dtype not in DTYPE_BYTES:
        raise ValueError(f"{argument!r} is not a tensor of a known type")
    return [int(d) for d in shape], str(dtype)


def _pair(value: Any) -> tuple[int, int]:
    numbers = value if isinstance(value, list) else [value, value]
    return int(numbers[0]), int(numbers[-1])


def _pads(value: Any) -> tuple[int, int, int, int]:
    """Top, left, bottom, right, from one, two or four numbers."""
    numbers = [int(v) for v in value] if isinstance(value, list) else [int(value)] * 2
    if len(numbers) == 4:
        return numbers[0], numbers[1], numbers[2], numbers[3]
    if len(numbers) != 2:
        raise ValueError(f"padding {value!r} has neither two nor four numbers")
    return numbers[0], numbers[1], numbers[0], numbers[1]


def _convolution(arguments: Sequence[Any], groups: int | None = None) -> str:
    data, dtype = _tensor(arguments[0])
    kernel, _ = _tensor(arguments[1])
    if len(data) != 4 or len(kernel) != 4:
        raise ValueError(f"data {data} and kernel {kernel} are not in NCHW and OIHW")
    dilation = arguments[4] if len(arguments) > 4 and isinstance(arguments[4], list) else [1, 1]
    count = 1 if groups is None else groups
    if kernel[1] * count != data[1]:
        raise ValueError(f"kernel {kernel} does not fit {data[1]} channels in {count} groups")
    return convolution_key(
        n=data[0], c=data[1], h=data[2], w=data[3], o=kernel[0], kernel=kernel[2:],
        stride=_pair(arguments[2]), pads=_pads(arguments[3]), dilation=_pair(dilation),
        groups=count, dtype=dtype,
    )  # fmt: skip


def _grouped(arguments: Sequence[Any]) -> str:
    return _convolution(arguments, int(arguments[5]))


def _depthwise(arguments: Sequence[Any]) -> str:
    """Kernel in (channels, multiplier, height, width)."""
    data, dtype = _tensor(arguments[0])
    kernel, _ = _tensor(arguments[1])
    if len(data) != 4 or len(kernel) != 4 or kernel[0] != data[1]:
        raise ValueError(f"kernel {kernel} does not fit {data}")
    dilation = arguments[4] if len(arguments) > 4 and isinstance(arguments[4], list) else [1, 1]
    return convolution_key(
        n=data[0], c=data[1], h=data[2], w=data[3], o=kernel[0] * kernel[1], kernel=kernel[2:],
        stride=_pair(arguments[2]), pads=_pads(arguments[3]), dilation=_pair(dilation),
        groups=data[1], dtype=dtype,
    )  # fmt: skip


def _dense(arguments: Sequence[Any]) -> str:
    data, dtype = _tensor(arguments[0])
    weight, _ = _tensor(arguments[1])
    if len(data) != 2 or len(weight) != 2 or data[1] != weight[1]:
        raise ValueError(f"weight {weight} does not fit data {data}")
    nest = LoopNest(1, 1, 1, data[0], data[1], weight[0])
    return nest_key("Gemm", nest, dtype)


_TASKS: Mapping[str, Callable[[Sequence[Any]], str]] = {
    "depthwise_conv2d_nchw": _depthwise,
    "depthwise_conv2d_NCHWc": _depthwise,
    "group_conv2d_nchw": _grouped,
    "conv2d_nchw": _convolution,
    "conv2d_NCHWc": _convolution,
    "topi_nn_conv2d": _convolution,
    "topi_nn_depthwise_conv2d_nchw": _depthwise,
    "topi_nn_dense": _dense,
    "dense": _dense,
    "conv2d_winograd": _convolution,
}
"""Task names by their beginning, first match first."""
