"""How fast the machine is from turn to turn, told by a kernel that never changes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from statistics import median

from hetsim.host.clock import Sample
from hetsim.host.engines.base import Engine, How
from hetsim.host.machine import pinned
from hetsim.host.measure import timed

SIZE = 640
"""Rows and columns of the reference's matrices: a product takes a few milliseconds, as long as the
shorter networks; ``benchmarks/pace.py`` shows how well it follows them."""

WINDOW = 5
"""Turns over whose median the pace is smoothed: a single disturbed product says nothing."""


class Pacer:
    """Runs the reference kernel once a turn on one core."""

    def __init__(self, cpus: Sequence[int], engine: Engine) -> None:
        """Opens it; raises ``MissingExtraError`` where the engine is not installed."""
        import numpy as np
        from onnx import TensorProto, helper, numpy_helper

        self._cpus = tuple(cpus[:1])
        matrix = np.linspace(-1.0, 1.0, SIZE * SIZE, dtype=np.float32).reshape(SIZE, SIZE)
        info = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [SIZE, SIZE]) for name in "xy"
        ]
        graph = helper.make_graph(
            [helper.make_node("MatMul", ["x", "w"], ["y"])], "reference", info[:1], info[1:],
            [numpy_helper.from_array(matrix, "w")],
        )  # fmt: skip
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        with pinned(self._cpus):
            run = engine.runner(model, How("reference"))
        self._run = partial(run, {"x": matrix})
        self._samples: list[Sample] = []

    def turn(self, *, keep: bool = True) -> None:
        """Runs the reference; ``keep=False`` to warm up."""
        with pinned(self._cpus):
            sample = timed(self._run)
        if keep:
            self._samples.append(sample)

    @property
    def times_s(self) -> list[float | None]:
        """Seconds of the turns that were kept; ``None`` where others had most of the time."""
        samples = self._samples
        return [s.own_s if s.taken_s < s.wall_s / 2 else None for s in samples]

    def pace(self, first: Pacer | None = None) -> list[float]:
        """For each turn that was kept, how many times slower than usual the core was.

        What is usual is the median on the core of ``first``, on its own by default.
        """
        return smoothed(self.times_s, (first or self).times_s)


def smoothed(
    times: Sequence[float | None], usual: Sequence[float | None] | None = None
) -> list[float]:
    """``times`` as multiples of the median of ``usual`` or of themselves, each the median of those
    around it.

    At the ends the window is cut, so that a lasting change keeps its height. ``None`` is not known;
    where nothing is known around a time, it is as usual.
    """
    known = [time for time in (times if usual is None else usual) if time is not None]
    middle, half = median(known or [1.0]), WINDOW // 2
    found = []
    for i in range(len(times)):
        around = [t for t in times[max(0, i - half) : i + half + 1] if t is not None]
        found.append(median(around) / middle if around else 1.0)
    return found
