"""What a SoC description may say: the schema of ``socs/*.yaml``.

Quantities are SI floats once loaded (see :mod:`hetsim.units`). Every field here changes a result;
a field that did not would be a defect. PU kinds are listed in :mod:`hetsim.soc.kinds`.

A *format* is how a PU keeps tensors in DRAM: the data type its ``precision`` maps the network's
type to, and its ``layout``. Tensors that pass between PUs of different formats are converted by
the host (:class:`Crossing`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SerializeAsAny,
    Tag,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from hetsim.errors import UnitError
from hetsim.names import suggest
from hetsim.units import EXAMPLES, UNITS, parse_quantity
from hetsim.workload.graph import DTYPE_BYTES


@dataclass(frozen=True)
class Quantity:
    """The pydantic annotation of a quantity: positive, or also zero where that has a meaning."""

    dimension: str
    zero: bool = False

    def parse(self, value: object) -> float:
        """The SI value of what the file says; ``ValueError`` when it is wrong."""
        try:
            number = parse_quantity(value, self.dimension)
        except UnitError as error:
            raise ValueError(f"{error.message}; {error.hint}") from None
        if number < 0 or (number == 0 and not self.zero):
            at_least = "zero or more" if self.zero else "more than zero"
            raise ValueError(f"{value!r} must be {at_least}")
        return number

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(self.parse, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        units = "|".join(re.escape(unit) for unit in UNITS[self.dimension])
        text = {
            "type": "string",
            "pattern": rf"^\s*(\d[\d_]*\.?\d*|\.\d+)([eE][-+]?\d+)?\s*({units})\s*$",
            "description": f"a {self.dimension} with its unit, like {EXAMPLES[self.dimension]!r}",
        }
        return {"anyOf": [text, {"const": 0}]} if self.zero else text


def _known_dtype(name: str) -> str:
    if name not in DTYPE_BYTES:
        raise ValueError(f"unknown data type {name!r}; known: {', '.join(DTYPE_BYTES)}")
    return name


Size = Annotated[float, Quantity("size")]
Bandwidth = Annotated[float, Quantity("bandwidth")]
Frequency = Annotated[float, Quantity("frequency")]
Width = Annotated[float, Quantity("width")]
Time = Annotated[float, Quantity("time", zero=True)]
Power = Annotated[float, Quantity("power", zero=True)]
Energy = Annotated[float, Quantity("energy", zero=True)]
Fraction = Annotated[float, Field(gt=0, le=1)]
Dtype = Annotated[str, AfterValidator(_known_dtype)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]


def _one_or_many(one: str, many: str) -> Callable[[Any], str]:
    """Tells a plain value from a mapping or list, so that errors speak of the form meant."""
    return lambda value: many if isinstance(value, dict | list | BaseModel) else one


class Spec(BaseModel):
    """Base of all schema classes: frozen, no unknown fields, no silent conversion of types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class MemorySpec(Spec):
    """DRAM: the last link of every path, and where tensors live between partitions."""

    bandwidth: Bandwidth = Field(description="peak bandwidth")
    efficiency: Annotated[
        Annotated[Fraction, Tag("one share")]
        | Annotated[list[Fraction], Field(min_length=1), Tag("list of shares")],
        Discriminator(_one_or_many("one share", "list of shares")),
    ] = Field(
        default=1.0,
        description="share of the peak that is reached; a list gives it for 1, 2, 3, ... concurrent"
        " transfers (row-buffer interference), the last value holding beyond",
    )
    latency: Time = Field(default=0.0, description="first-access latency added to every transfer")
    capacity: Size = Field(description="size; weights and live tensors must fit")
    energy_per_byte: Energy = Field(default=0.0, description="energy of moving one byte")


Arbitration = Literal["max_min_fair", "weighted", "priority", "fifo"]


class LinkSpec(Spec):
    """A bus or port: ``bandwidth``, or ``width`` and ``clock``."""

    bandwidth: Bandwidth | None = None
    width: Width | None = None
    clock: Frequency | None = None
    arbitration: Arbitration = Field(
        default="max_min_fair", description="how concurrent transfers share the link"
    )
    latency: Time = Field(default=0.0, description="added to every transfer")

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> LinkSpec:
        pair = self.width is not None and self.clock is not None
        if (self.bandwidth is None) != pair or (not pair and (self.width or self.clock)):
            raise ValueError("give either 'bandwidth', or both 'width' and 'clock'")
        return self

    @property
    def bytes_per_second(self) -> float:
        """The link's bandwidth in B/s."""
        if self.bandwidth is not None:
            return float(self.bandwidth)
        assert self.width is not None
        assert self.clock is not None
        return float(self.width * self.clock)


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
    cache_maintenance: Bandwidth | None = Field(
        default=None, description="rate of cache flush/invalidate; absent = cache-coherent PU"
    )
    copy_rate: Bandwidth | None = Field(
        default=None,
        alias="copy",
        description="rate of copying the tensor to a buffer of its own; absent = zero-copy",
    )


class OperatorRule(Spec):
    """What an operator must look like for a PU to take it."""

    in_channels_multiple_of: int = Field(default=1, ge=1)
    out_channels_multiple_of: int = Field(default=1, ge=1)
    max_groups: int | None = Field(default=None, ge=1)
    max_kernel: int | None = Field(default=None, ge=1)
    max_stride: int | None = Field(default=None, ge=1)


class PUSpec(Spec):
    """What every processing unit states, whatever its kind."""

    kind: str
    path: list[Name] = Field(
        min_length=1, description="links its traffic crosses, in order; the last is a memory"
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
    operators: Literal["all"] | dict[str, OperatorRule] = "all"
    exclude: list[str] = Field(default_factory=list, description="operator kinds it cannot run")
    fuse: list[str] = Field(
        default_factory=list, description="chains that run as one kernel, e.g. Conv-Add-Relu"
    )
    dispatch: Time = Field(default=0.0, description="overhead of starting one kernel")
    crossing: Crossing = Crossing()
    priority: int = Field(default=0, description="class of its traffic on 'priority' links")
    weight: float = Field(default=1.0, gt=0, description="share of its traffic on 'weighted' links")

    @model_validator(mode="after")
    def _operating_point_exists(self) -> PUSpec:
        if self.operating_point is not None and self.operating_point not in self.operating_points:
            raise ValueError(
                f"operating_point {self.operating_point!r} is not one of"
                f" {', '.join(self.operating_points)}"
            )
        return self

    @classmethod
    def schema_for(cls, data: object) -> type[PUSpec]:
        """The schema class that the ``kind`` in ``data`` names; this class when there is none."""
        from hetsim.soc.kinds import kinds

        kind = data.get("kind") if isinstance(data, dict) else None
        return kinds().get(kind, cls) if isinstance(kind, str) else cls

    @property
    def point(self) -> OperatingPoint:
        """The operating point in force."""
        name = self.operating_point or next(iter(self.operating_points))
        return self.operating_points[name]

    @property
    def units(self) -> tuple[int, ...]:
        """Cores of each schedulable unit this PU is divided into."""
        return (1,)

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
    def managed_memory(self) -> float:
        """Bytes of software-managed on-chip memory in which tensors can stay; 0 if none."""
        return 0.0

    @property
    def cache(self) -> float:
        """Bytes of cache that hold what was just written; 0 if none is modelled."""
        return 0.0

    @property
    def private_links(self) -> dict[str, float]:
        """Links of its own that its traffic crosses before ``path``: name to B/s."""
        return {}

    @property
    def fuse_patterns(self) -> tuple[tuple[str, ...], ...]:
        """Fusion chains as tuples of operator kinds, longest first."""
        chains = (tuple(part.strip() for part in chain.split("-")) for chain in self.fuse)
        return tuple(sorted(chains, key=lambda c: (-len(c), c)))


def _has_default(table: dict[str, float]) -> dict[str, float]:
    if "default" not in table:
        raise ValueError("a 'default' is missing; it holds for every operator kind not listed")
    return table


Efficiencies = Annotated[dict[str, Fraction], AfterValidator(_has_default)]


class CPUClusterSpec(PUSpec):
    """A cluster of identical cores, divided into one or more schedulable units by ``workers``."""

    kind: Literal["cpu_cluster"]
    cores: int = Field(ge=1)
    workers: list[int] | None = Field(
        default=None, description="cores of each schedulable unit, e.g. [2, 2]; default one unit"
    )
    macs_per_cycle: dict[Dtype, Annotated[float, Field(gt=0)]] = Field(
        description="peak multiply-accumulates per cycle of one core, by data type"
    )
    element_ops_per_cycle: dict[Dtype, Annotated[float, Field(gt=0)]] = Field(
        description="peak other operations per cycle of one core, by data type"
    )
    efficiency: Efficiencies = Field(
        description="share of the peak by operator kind ('Conv', 'Conv.depthwise'), and 'default'"
    )
    parallel_efficiency: Annotated[float, Field(ge=0, le=1)] = Field(
        default=1.0, description="what each further core adds, as a share of a core"
    )
    l2: Size | None = Field(
        default=None, description="shared cache; a tensor that fits and was just written stays"
    )

    @model_validator(mode="after")
    def _workers_fit(self) -> CPUClusterSpec:
        if self.workers is not None:
            if not self.workers or min(self.workers) < 1:
                raise ValueError("workers must be a list of core counts of at least 1")
            if sum(self.workers) > self.cores:
                raise ValueError(f"workers {self.workers} need more than the {self.cores} cores")
        return self

    @property
    def units(self) -> tuple[int, ...]:
        """Cores of each worker."""
        return tuple(self.workers) if self.workers else (self.cores,)

    @property
    def cache(self) -> float:
        return float(self.l2 or 0.0)

    def accepts_dtype(self, dtype: str, *, macs: bool) -> bool:
        """Matrix work needs a stated rate; element-wise work can be done in any type."""
        return dtype in self.macs_per_cycle or not macs


class SystolicArray(Spec):
    """A rows × columns systolic array with a fixed dataflow."""

    rows: int = Field(ge=1)
    columns: int = Field(ge=1)
    dataflow: Literal["weight_stationary", "output_stationary", "input_stationary"]


class GemmCore(Spec):
    """A blocked matrix core: batch × block_in × block_out multiply-accumulates each cycle."""

    batch: int = Field(default=1, ge=1)
    block_in: int = Field(ge=1)
    block_out: int = Field(ge=1)


def _array_form(value: Any) -> str:
    if isinstance(value, GemmCore):
        return "gemm core"
    blocked = isinstance(value, dict) and not value.keys().isdisjoint(GemmCore.model_fields)
    return "gemm core" if blocked else "systolic array"


class BufferSizes(Spec):
    """Separate on-chip buffers."""

    input: Size
    weight: Size
    accumulator: Size


class DMASpec(Spec):
    """The engines that move data between DRAM and SRAM."""

    engines: int = Field(default=1, ge=1)
    bandwidth: Bandwidth = Field(description="of one engine")
    setup: Time = Field(default=0.0, description="programming one transfer of a tile")


class NPUSpec(PUSpec):
    """A neural processing unit: a matrix array, SRAM that DMA engines fill, a vector unit."""

    kind: Literal["npu"]
    array: Annotated[
        Annotated[SystolicArray, Tag("systolic array")] | Annotated[GemmCore, Tag("gemm core")],
        Discriminator(_array_form),
    ] = Field(description="rows, columns and dataflow; or batch, block_in and block_out")
    array_efficiency: Fraction = Field(
        default=1.0, description="share of the array's cycles that do useful work (stalls, control)"
    )
    dtypes: dict[Dtype, Fraction] = Field(
        min_length=1,
        description="data types it computes in, and the share of the peak rate of each",
    )
    vector_lanes: int = Field(ge=1, description="element-wise operations per cycle")
    sram: Annotated[
        Annotated[Size, Tag("one size")] | Annotated[BufferSizes, Tag("separate buffers")],
        Discriminator(_one_or_many("one size", "separate buffers")),
    ] = Field(description="unified, or separate buffers")
    dma: DMASpec
    double_buffer: bool = Field(default=True, description="overlap transfer and compute of tiles")
    host_wait: Literal["poll", "interrupt"] = Field(
        default="interrupt", description="'poll' keeps a host thread busy while the NPU runs"
    )
    interrupt_latency: Time = Field(default=0.0, description="from done to the host's reaction")

    @model_validator(mode="after")
    def _interrupt_only_when_used(self) -> NPUSpec:
        if self.host_wait == "poll" and self.interrupt_latency:
            raise ValueError("interrupt_latency has no effect with host_wait: poll")
        return self

    @property
    def polls_host(self) -> bool:
        return self.host_wait == "poll"

    @property
    def completion_latency(self) -> float:
        return float(self.interrupt_latency)

    @property
    def managed_memory(self) -> float:
        return 0.0 if isinstance(self.sram, BufferSizes) else float(self.sram)

    @property
    def private_links(self) -> dict[str, float]:
        return {"dma": self.dma.engines * self.dma.bandwidth}

    def accepts_dtype(self, dtype: str, *, macs: bool) -> bool:
        """Only the listed types, whatever the work."""
        return dtype in self.dtypes


class AcceleratorSpec(PUSpec):
    """Anything that a roofline describes: GPU, DSP."""

    kind: Literal["accelerator"]
    macs_per_cycle: dict[Dtype, Annotated[float, Field(gt=0)]]
    element_ops_per_cycle: dict[Dtype, Annotated[float, Field(gt=0)]]
    efficiency: Efficiencies

    def accepts_dtype(self, dtype: str, *, macs: bool) -> bool:
        """Matrix work needs a stated rate; element-wise work can be done in any type."""
        return dtype in self.macs_per_cycle or not macs


class RuntimeSpec(Spec):
    """The software that calls partitions: who it runs on and what its calls cost."""

    host: Name = Field(description="the cpu_cluster whose threads convert, poll and call")
    partition_call: Time = Field(default=0.0, description="calling one partition")
    thread_create: Time = Field(default=0.0, description="forking one member of a parallel group")
    thread_join: Time = Field(default=0.0, description="joining one member of a parallel group")


class _OfItsKind:
    """The pydantic annotation of an entry of ``pus``: validated by the schema its kind names."""

    @staticmethod
    def parse(value: object) -> PUSpec:
        from hetsim.soc.kinds import kinds

        if isinstance(value, PUSpec):
            return value
        if isinstance(value, dict) and isinstance(value.get("kind"), str):
            if value["kind"] in kinds():
                return kinds()[value["kind"]].model_validate(value)
            message = f"unknown kind {value['kind']!r}; {suggest(value['kind'], kinds())}"
            raise _located("a processing unit", ("kind",), message, value["kind"])
        return PUSpec.model_validate(value)

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.parse)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        from hetsim.soc.kinds import kinds

        return {
            "oneOf": [handler(spec.__pydantic_core_schema__) for spec in kinds().values()],
            "description": "a processing unit; its fields depend on 'kind'",
        }


def _located(title: str, path: tuple[str | int, ...], message: str, value: object) -> Exception:
    """A pydantic error about the part ``path`` below the model that raises it."""
    return ValidationError.from_exception_data(title, [_detail(path, message, value)])


def _detail(path: tuple[str | int, ...], message: str, value: object) -> InitErrorDetails:
    error = PydanticCustomError("located", "{message}", {"message": message})
    return InitErrorDetails(type=error, loc=path, input=value)


class SoCSpec(Spec):
    """A whole SoC, as written in its file."""

    hetsim: Literal["soc/1"] = Field(description="format of this file")
    name: str
    description: str = ""
    memory: dict[Name, MemorySpec] = Field(min_length=1)
    links: dict[Name, LinkSpec] = Field(default_factory=dict)
    pus: dict[Name, Annotated[SerializeAsAny[PUSpec], _OfItsKind()]] = Field(min_length=1)
    runtime: RuntimeSpec

    @model_validator(mode="after")
    def _references_hold(self) -> SoCSpec:
        faults = [*self._name_faults(), *self._path_faults(), *self._host_faults()]
        if faults:
            raise ValidationError.from_exception_data("SoC", faults)
        return self

    def _name_faults(self) -> Iterator[InitErrorDetails]:
        for name in self.links:
            if name in self.memory:
                yield _detail(("links", name), f"{name!r} is also the name of a memory", name)

    def _path_faults(self) -> Iterator[InitErrorDetails]:
        for pu, spec in self.pus.items():
            for i, name in enumerate(spec.path):
                place = ("pus", pu, "path", i)
                last = i == len(spec.path) - 1
                if name not in self.links and name not in self.memory:
                    hint = suggest(name, [*self.links, *self.memory])
                    yield _detail(place, f"no link or memory is called {name!r}; {hint}", name)
                elif name in spec.path[:i]:
                    yield _detail(place, f"link {name!r} stands twice in this path", name)
                elif last and name not in self.memory:
                    memories = ", ".join(self.memory)
                    message = f"a path ends in a memory ({memories}), and {name!r} is a link"
                    yield _detail(place, message, name)
                elif not last and name in self.memory:
                    message = f"{name!r} is a memory, which only the end of a path may be"
                    yield _detail(place, message, name)

    def _host_faults(self) -> Iterator[InitErrorDetails]:
        clusters = [name for name, spec in self.pus.items() if spec.kind == "cpu_cluster"]
        host = self.runtime.host
        if host not in clusters:
            hint = suggest(host, clusters, "clusters")
            yield _detail(("runtime", "host"), f"no cpu_cluster is called {host!r}; {hint}", host)
