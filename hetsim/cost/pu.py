"""How a kind of processing unit behaves: the counterpart of its description.

A description (:class:`~hetsim.soc.pu.PUSpec`) says what a unit is; the model that it names says how
long work takes on it, and what measurements of it can calibrate.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from math import inf
from typing import Any, ClassVar, Generic, TypeVar, cast

from hetsim.cost.reach import Reach
from hetsim.cost.work import Kernel, Residency, Work
from hetsim.errors import ConfigError
from hetsim.plugins import load_class
from hetsim.soc.model import PU
from hetsim.soc.pu import PUSpec
from hetsim.workload.graph import Graph, LoopNest, Operator

SpecT = TypeVar("SpecT", bound=PUSpec)


@dataclass(frozen=True, slots=True)
class Roof:
    """What a kernel computes on a unit, and the rate at which no kernel of its sort does so.

    ``operations``: multiply-accumulates (of the direct algorithm) if it has any, else element-wise
    operations. ``per_second`` is the unit's peak at the clock in force, as if every share and
    efficiency were one; infinite where nothing is known. ``name`` says what it is the peak of.
    """

    operations: int
    per_second: float = inf
    name: str = "operations"


class PUModel(ABC, Generic[SpecT]):
    """One processing unit at work. Made whenever it is asked, so it keeps nothing between calls.

    ``pu`` is the unit (its cores, its path alone), ``spec`` its description. It is asked only
    about kernels that the description allows (:mod:`hetsim.cost.support`). ``calibration`` names
    what fits the description to measurements: a :class:`hetsim.calibrate.target.Target` or its
    ``module:Class``; ``None`` when there is nothing to fit. ``networks`` names what fits it to
    latencies of whole networks, the ``module:Class`` of a model of whole networks that is made from
    the SoC's document and the unit's name.
    """

    calibration: ClassVar[type | str | None] = None
    networks: ClassVar[str | None] = None

    def __init__(self, pu: PU) -> None:
        self.pu = pu
        self.spec = cast(SpecT, pu.spec)  # its own description named this class

    @abstractmethod
    def work(self, graph: Graph, kernel: Kernel, residency: Residency) -> Work:
        """What ``kernel`` asks of the unit.

        Raises:
            InfeasibleError: the unit can never run it (a tile that does not fit, say).
        """

    @abstractmethod
    def floor(self, op: Operator) -> float:
        """Arithmetic time of ``op`` in seconds that no tiling, fusion or residency avoids."""

    def quickest(
        self, graph: Graph, kernel: Kernel, residency: Residency, reach: Reach
    ) -> float | None:
        """Seconds from the launch of ``kernel`` to its end that nothing avoids.

        Exactly the tensors of ``residency`` are on chip, and perhaps more of the memory is
        reserved than it says; the first weights may come early. At either fidelity. ``None``: only
        the floors of its operators are known, infinite: it never fits. A model that answers also
        promises that :meth:`work` never moves fewer bytes when more memory is reserved.
        """
        return None

    def least(self, nest: LoopNest, dtype: str) -> float:
        """Seconds of ``nest`` with every multiplier busy at the highest clock, efficiency 100 %.

        A measured time below it is refuted. ``dtype`` is the network's. Zero: not known.
        """
        return 0.0

    def roof(self, kernel: Kernel) -> Roof:
        """The peak that ``kernel`` works under: the level part of its roofline."""
        return Roof(kernel.macs or kernel.element_ops)

    @property
    def top_clock(self) -> float:
        """The highest clock among the operating points, hertz."""
        return max(point.clock for point in self.spec.operating_points.values())


def model_of(pu: PU) -> PUModel[Any]:
    """The model of a unit.

    Raises:
        ConfigError: its kind names none, or one that cannot be loaded.
    """
    return model_class(type(pu.spec))(pu)


@cache
def model_class(schema: type[PUSpec]) -> type[PUModel[Any]]:
    """The model that a kind names. Raises :class:`ConfigError` as :func:`model_of` does."""
    if not schema.model:
        raise ConfigError(
            f"{schema.__module__}.{schema.__qualname__} says no model, so nobody knows its costs",
            hint='write model: ClassVar[str] = "module:Class", a hetsim.cost.pu.PUModel',
        )
    what = f"the model of {schema.__qualname__}"
    return load_class(schema.model, PUModel, what)  # type: ignore[type-abstract]
