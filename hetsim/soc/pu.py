"""What every processing unit states, whatever its kind.

A *format* is how a PU keeps tensors in DRAM: the data type its ``precision`` maps the network's
type to, and its ``layout``. Tensors that pass between PUs of different formats are converted by
the host (:class:`Crossing`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, ClassVar, Literal

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from hetsim.names import suggest
from hetsim.plugins import installed
from hetsim.soc.arrays import MatrixArray
from hetsim.soc.fields import (
    Bandwidth,
    Count,
    Dtype,
    Fraction,
    Frequency,
    Name,
    Power,
    Size,
    Spec,
    Time,
    located,
    one_or_many,
)
from hetsim.soc.kindnames import Chain, Kind
from hetsim.soc.uncertainty import Uncertainty


class OperatingPoint(Spec):
    """A clock and the power drawn at it."""

    clock: Frequency
    active_power: Power = 0.0
    idle_power: Power = 0.0


class Crossing(Spec):
    """What it costs to move a tensor between host memory and this PU's format.

    All of it is work of one host thread. Paid per element or byte of the tensors that cross.
    """

    quantise: Time = Field(default=0.0, description="per element, when the data type changes")
    relayout: Time = Field(default=0.0, description="per element, when the layout changes")
    relayout_at: Literal["partition", "kernel"] = Field(
        default="partition",
        description="'kernel': the layout is changed around every kernel, and tensors lie in the"
        " host's layout between kernels, none of them on chip",
    )
    cache_maintenance: Bandwidth | None = Field(
        default=None, description="rate of cache flush/invalidate; absent = cache-coherent PU"
    )
    copy_rate: Bandwidth | None = Field(
        default=None,
        alias="copy",
        description="rate of copying the tensor to a buffer of its own; absent = zero-copy",
    )

    refetch: Bandwidth | None = Field(
        default=None,
        description="rate at which a partition takes in what another one of its cluster made and"
        " caches have lost; absent = its kernels read it, and that is all",
    )
    handover: Time = Field(
        default=0.0, description="per tensor that another unit of the same cluster made: waking up"
    )

    @model_validator(mode="after")
    def _relayouts_something(self) -> Crossing:
        if self.relayout_at == "kernel" and not self.relayout:
            message = "has no effect: 'relayout' is zero"
            raise located("crossing", ("relayout_at",), message, self.relayout_at)
        return self

    def along(self, field: str, choice: object) -> Mapping[str, object] | None:
        """Nobody relayouts around kernels what is nowhere relayouted."""
        return None if (field, choice) == ("relayout_at", "kernel") and not self.relayout else {}


class Slowdown(Spec):
    """Speed a PU keeps while others use the same memory, before anything saturates.

    Xu et al., "PCCS" (MICRO 2021): measured on SoCs, a unit slows with its own and the others'
    demand. ``kept[i][j]`` is the share of its speed at ``own[i]`` and ``external[j]``, between
    them linearly, outside them like the nearest.
    """

    own: list[Bandwidth] = Field(min_length=1, description="the unit's own demand, ascending")
    external: list[Bandwidth] = Field(min_length=1, description="all others' demand, ascending")
    kept: list[list[Fraction]] = Field(description="a row per 'own', a column per 'external'")

    @model_validator(mode="after")
    def _is_a_table(self) -> Slowdown:
        for axis in ("own", "external"):
            values = getattr(self, axis)
            if any(b <= a for a, b in pairwise(values)):
                raise located("slowdown", (axis,), "must ascend", values)
        if [len(row) for row in self.kept] != [len(self.external)] * len(self.own):
            shape = f"{len(self.own)} rows of {len(self.external)}"
            raise located("slowdown", ("kept",), f"needs {shape} numbers", self.kept)
        return self


class OperatorRule(Spec):
    """What an operator must look like for a PU to take it."""

    in_channels_multiple_of: Count = 1
    out_channels_multiple_of: Count = 1
    max_groups: Count | None = None
    max_kernel: Count | None = None
    max_stride: Count | None = None


COST_SOURCES = "hetsim.cost_sources"
"""Entry-point group of :class:`hetsim.cost.source.CostSource`."""


class PUSpec(Spec):
    """What every processing unit states, whatever its kind.

    A kind is a subclass with ``kind: Literal["its_name"]`` and fields of its own. Its properties
    say to everybody else what the unit is like, so that nobody has to ask for the kind; each has
    a neutral answer here. ``model`` names what says how long work takes on it: the class, or
    ``module:Class`` of a :class:`hetsim.cost.pu.PUModel`, which a description does not import.
    ``repeatable`` tells that a SoC may simply get a second one.
    """

    model: ClassVar[type | str] = ""
    repeatable: ClassVar[bool] = True

    kind: str
    path: list[Name] = Field(
        min_length=1, description="links its traffic crosses, in order; the last is a memory"
    )
    routes: dict[Name, list[Name]] = Field(
        default_factory=dict,
        description="ways to further memories in which tensors may be put: by memory, the links"
        " crossed, in order, the memory last",
    )
    operating_points: dict[str, OperatingPoint] = Field(min_length=1)
    operating_point: str | None = Field(
        default=None, description="the one in force; the first listed when absent"
    )
    precision: dict[Dtype, Dtype] = Field(
        default_factory=dict,
        description="data types it replaces, e.g. {float32: int8} for an int8-only NPU",
    )
    layout: str = Field(default="nchw", description="label of its tensor layout")
    operators: Annotated[
        Annotated[Literal["all"], Tag("all")] | Annotated[dict[Kind, OperatorRule], Tag("rules")],
        Discriminator(one_or_many("all", "rules")),
    ] = Field(default="all", description="operator kinds it runs, each with conditions; or 'all'")
    exclude: list[Kind] = Field(default_factory=list, description="operator kinds it cannot run")
    fuse: list[Chain] = Field(
        default_factory=list, description="chains that run as one kernel, e.g. Conv-Add-Relu"
    )
    dispatch: Time = Field(default=0.0, description="overhead of starting one kernel")
    crossing: Crossing = Crossing()
    profile: str | None = Field(
        default=None,
        min_length=1,
        description="measured times of this unit (a hetsim profile/1 file), relative to this file;"
        " they stand in for what the model would say",
    )
    learned: str | None = Field(
        default=None,
        min_length=1,
        description="learned cost model of this unit (.npz of 'hetsim calibrate --learned', or a"
        " .vpunn of Intel's), relative to this file; asked for what was not measured",
    )
    costs: dict[str, Annotated[str, Field(min_length=1)]] = Field(
        default_factory=dict,
        description="files of installed cost sources by the source's name, relative to this file",
    )
    uncertainty: Uncertainty = Field(
        default_factory=dict,
        description="how far measured times are from simulated ones, by the data type in which the"
        " unit keeps tensors, or 'default'; absent = not calibrated, and no range is told",
    )
    weight_memory: Size | None = Field(
        default=None,
        description="memory of its own, beside that for tiles, in which weights stay from one"
        " inference to the next; absent = every inference reads them again",
    )
    preemptible: bool = Field(
        default=True,
        description="whether a dispatcher may let something more urgent go between two kernels of a"
        " partition; false: what has begun is ended, as where a driver submits it as a whole",
    )
    slowdown: Slowdown | None = Field(
        default=None, description="loss of speed below saturation, measured on the real SoC"
    )
    priority: int = Field(default=0, description="class of its traffic on 'priority' links")
    weight: float = Field(default=1.0, gt=0, description="share of its traffic on 'weighted' links")

    @model_validator(mode="after")
    def _operating_point_exists(self) -> PUSpec:
        if self.operating_point is not None and self.operating_point not in self.operating_points:
            name = self.operating_point
            message = f"no operating point is called {name!r}; "
            message += suggest(name, self.operating_points)
            raise located("operating point", ("operating_point",), message, name)
        return self

    @model_validator(mode="after")
    def _computes_in_its_precision(self) -> PUSpec:
        for given, kept in self.precision.items():
            if not self.accepts_dtype(kept, macs=True):
                message = f"{given} becomes {kept}, which this unit states no rate for"
                raise located("precision", ("precision", given), message, kept)
        return self

    @model_validator(mode="after")
    def _cost_sources_are_installed(self) -> PUSpec:
        for name in self.costs:
            if name not in (known := [point.name for point in installed(COST_SOURCES)]):
                message = f"no cost source is called {name!r}; {suggest(name, known, 'installed')}"
                raise located("costs", ("costs", name, "[key]"), message, name)
        return self

    @property
    def point(self) -> OperatingPoint:
        """The operating point in force."""
        name = self.operating_point or next(iter(self.operating_points))
        return self.operating_points[name]

    @property
    def thread_cores(self) -> int:
        """Cores that threads of the runtime run on; a PU that has some can be its host."""
        return 0

    @property
    def role(self) -> str:
        """What methods from the literature take it for: ``cpu``, ``npu``, or nothing of the two.

        CPUs run threads, NPUs have a matrix array.
        """
        return "cpu" if self.thread_cores else "npu" if self.matrix_array else ""

    @property
    def units(self) -> tuple[int, ...]:
        """Cores of each schedulable unit this PU is divided into."""
        return (self.thread_cores or 1,)

    def accepts_dtype(self, dtype: str, *, macs: bool) -> bool:
        """Whether it computes in ``dtype``; ``macs`` tells matrix work from element-wise work."""
        return True

    @property
    def polls_host(self) -> bool:
        """Whether a host thread spins while this PU runs."""
        return False

    @property
    def completion_latency(self) -> float:
        """Seconds from the end of the last kernel to the host's reaction."""
        return 0.0

    @property
    def prefetches(self) -> bool:
        """Whether a kernel's first weights may be loaded while its predecessor computes."""
        return False

    @property
    def transfer_setup(self) -> float:
        """Seconds to program the transfer of a tile."""
        return 0.0

    @property
    def overlaps_tiles(self) -> bool:
        """Whether one tile moves while another one computes."""
        return False

    @property
    def core_meeting(self) -> float:
        """Seconds in which the cores that share a kernel meet, once for each."""
        return 0.0

    @property
    def learned_transfers(self) -> str | None:
        """The file of a learned model of its DMA engines, relative to the SoC's, if any."""
        return None

    @property
    def fused_tails_hide(self) -> bool:
        """Whether the element-wise tail of a fused kernel can run beside its head for nothing."""
        return False

    @property
    def managed_memory(self) -> float:
        """Bytes of software-managed on-chip memory in which tensors can stay; 0 if none."""
        return 0.0

    @property
    def relayouts_kernels(self) -> bool:
        """Whether the host changes the layout of what every kernel reads and writes."""
        return self.crossing.relayout_at == "kernel"

    @property
    def channel_block(self) -> int:
        """Channels that a tensor is stored by: it is filled up to a multiple of so many."""
        return 1

    @property
    def on_chip_memory(self) -> float:
        """Bytes of on-chip memory that kernels' buffers and resident tensors fill; 0 if none."""
        return self.managed_memory

    @property
    def cache(self) -> float:
        """Bytes of cache that hold what was just written; 0 if none is modelled."""
        return 0.0

    @property
    def core_memory(self) -> float:
        """Bytes of memory in its cores that a die pays for, and no tensor stays in; 0 if none."""
        return 0.0

    @property
    def matrix_array(self) -> MatrixArray | None:
        """The array that its tiles are cut for; ``None`` if it does not work in tiles."""
        return None

    @property
    def packs(self) -> frozenset[str]:
        """Sparsities whose zeros it does not store."""
        return frozenset()

    @property
    def multipliers(self) -> float:
        """Multiply-accumulates a cycle that a die pays for beside its cores; 0 if none."""
        return 0.0

    @property
    def dma_bandwidth(self) -> float:
        """B/s of its DMA engines that a die pays for; 0 if none."""
        return 0.0

    def private_links(self, latency: float) -> dict[str, float]:
        """Links of its own that its traffic crosses before ``path``: name to B/s.

        ``latency`` is the path's, in seconds. Of several units each has its cores' share.
        """
        return {}

    @property
    def fuse_patterns(self) -> tuple[tuple[str, ...], ...]:
        """Fusion chains as tuples of operator kinds, longest first."""
        return _patterns(tuple(self.fuse))


@lru_cache(maxsize=256)
def _patterns(chains: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    # Asked for every operator of every plan, so it is not worked out each time.
    kinds = (tuple(part.strip() for part in chain.split("-")) for chain in chains)
    return tuple(sorted(kinds, key=lambda c: (-len(c), c)))


def _has_default(table: dict[str, float]) -> dict[str, float]:
    if "default" not in table:
        raise ValueError("a 'default' is missing; it holds for every operator kind not listed")
    return table


Efficiencies = Annotated[dict[Kind, Fraction], AfterValidator(_has_default)]
