"""What a scenario may say: the schema of ``scenarios/*.yaml``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from hetsim.names import suggest
from hetsim.sim.runtimes.registry import DEFAULT, runtime_names
from hetsim.soc.fields import Dtype, Quantity, Sparsity, Spec, located
from hetsim.streams.schema import ServeSpec, StreamSpec

Text = Annotated[str, Field(min_length=1)]
Limit = Annotated[float, Quantity("time")]
Dimension = Annotated[int, Field(ge=1, lt=2**31)]


def _known_runtime(name: str) -> str:
    known = runtime_names()
    if name not in known:
        raise ValueError(f"unknown execution {name!r}; {suggest(name, known)}")
    return name


RuntimeName = Annotated[
    str,
    AfterValidator(_known_runtime),
    Field(json_schema_extra=lambda schema: schema.update(enum=list(runtime_names()))),
]
"""A registered runtime."""


def _size_form(value: Any) -> str:
    return "shape" if isinstance(value, list) else "number"


Bound = Annotated[
    Annotated[Dimension, Tag("number")]
    | Annotated[list[Dimension], Field(min_length=1), Tag("shape")],
    Discriminator(_size_form),
]
"""How many, or a whole shape."""


class ModelSpec(Spec):
    """One network: a model of the zoo by ``name``, or a file by ``path``."""

    name: Text | None = Field(default=None, description="a model of the zoo, or what to call it")
    path: Text | None = Field(
        default=None, description="an ONNX or TFLite file, relative to the scenario file"
    )
    input_shapes: dict[str, list[Dimension]] = Field(
        default_factory=dict, description="full shape of inputs, where the file has symbols"
    )
    dims: dict[Text, Dimension] = Field(
        default_factory=dict,
        description="sizes of open dimensions by their names in the file, {batch: 1, seq: 128}, or"
        " INPUT.POSITION; also the value of an input of one whole number",
    )
    max_output: dict[Text, Bound] = Field(
        default_factory=dict,
        description="how many results at most where the data decide, {boxes: 300}, by tensor,"
        " operator or kind; or the whole shape of a tensor that the file does not tell",
    )
    label: Text | None = Field(default=None, description="what reports call it; default its name")


class SchedulerSpec(Spec):
    """One scheduler with its parameters."""

    name: Text = Field(description="a registered scheduler, or FILE.py:CLASS")
    label: Text | None = Field(default=None, description="what reports call it; default its name")
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="passed to the scheduler by keyword"
    )


class ImprovementSpec(Spec):
    """A published comparison: how much shorter a scheduler's inference is than a baseline's."""

    model: Text = Field(description="a model of this scenario")
    scheduler: Text = Field(description="a scheduler of this scenario")
    baseline: Text = Field(description="the scheduler it is compared with")
    improvement_percent: float


class UnmeasuredSpec(Spec):
    """A quantity of the SoC that nobody measured, and the values that it may have."""

    what: Text = Field(description="what it is, for reports")
    vary: dict[Text, Annotated[list[Any], Field(min_length=2)]] = Field(
        min_length=1,
        description="values by path; several paths change together and need as many values",
    )

    @model_validator(mode="after")
    def _as_many_values(self) -> UnmeasuredSpec:
        count = len(next(iter(self.vary.values())))
        for path, values in self.vary.items():
            if len(values) != count:
                message = f"has {len(values)} values, and the first path of this quantity {count}"
                raise located("unmeasured", ("vary", path), message, values)
        return self


class ReferenceSpec(Spec):
    """Published figures that reports print beside the simulated ones."""

    title: Text
    source: Text = Field(description="where they are printed: DOI, table")
    improvements: list[ImprovementSpec] = Field(min_length=1)
    unmeasured: list[UnmeasuredSpec] = Field(
        default_factory=list,
        description="what nobody measured; the figures are simulated at every combination of it",
    )


class SweepSpec(Spec):
    """What ``hetsim sweep`` varies when the command line says nothing else."""

    vary: dict[Text, Any] = Field(
        min_length=1,
        description="values by path: a list, or text as --vary takes it: {npu.sram: 1..4 MiB:log2}",
    )
    mode: Literal["cartesian", "zip", "lhs"] = Field(
        default="cartesian", description="how the axes make a grid"
    )
    points: int | None = Field(default=None, ge=1, description="size of the sample; lhs only")


class ExploreSpec(Spec):
    """What ``hetsim explore`` searches when the command line says nothing else."""

    vary: dict[Text, Any] = Field(min_length=1, description="values by path, as in 'sweep'")
    minimise: list[Text] = Field(
        default=["latency_ms"],
        min_length=1,
        description="objectives: latency_ms, energy_mj, area, cost",
    )
    constraints: list[Text] = Field(
        default_factory=list, description="what designs must meet, like 'latency_ms <= 33'"
    )
    trials: int | None = Field(default=None, ge=1, description="designs to try")
    sampler: Literal["tpe", "nsga2", "random"] | None = Field(
        default=None, description="default: tpe for one objective, nsga2 for several"
    )


def _form(value: Any) -> str:
    return "name" if isinstance(value, str) else "fields"


def _scheduler_list(value: Any) -> str:
    return "all" if isinstance(value, str) else "list"


ModelEntry = Annotated[
    Annotated[Text, Tag("name")] | Annotated[ModelSpec, Tag("fields")], Discriminator(_form)
]
SchedulerEntry = Annotated[
    Annotated[Text, Tag("name")] | Annotated[SchedulerSpec, Tag("fields")], Discriminator(_form)
]


class StoredWeightsSpec(Spec):
    """How the weights of convolutions and matrix products are stored, whatever the file says."""

    dtype: Dtype | None = Field(default=None, description="their data type, int4 for one")
    group: int | None = Field(
        default=None, ge=1, description="weights of that type that share a float16 scale"
    )
    sparsity: Sparsity | None = Field(
        default=None,
        description="at most so many of so many neighbours along the input channels are not zero,"
        " where these can be divided",
    )

    @model_validator(mode="after")
    def _scales_something(self) -> StoredWeightsSpec:
        if self.group is not None and self.dtype is None:
            message = "has no effect: 'dtype' is absent"
            raise located("weights", ("group",), message, self.group)
        return self


class ScenarioSpec(Spec):
    """A whole scenario, as written in its file."""

    hetsim: Literal["scenario/1"] = Field(description="format of this file")
    name: Text
    description: str = ""
    soc: Text = Field(description="a shipped SoC, or the path of one relative to this file")
    set: dict[str, Any] = Field(
        default_factory=dict,
        description="changes to the SoC: {npu.sram: 1 MiB, bus.bandwidth: 0.5x}",
    )
    profiles: dict[str, Text] = Field(
        default_factory=dict,
        description="measured times by unit of the SoC: {npu: npu.yaml}, files of hetsim profile/1"
        " relative to this file",
    )
    models: list[ModelEntry] = Field(min_length=1)
    dims: dict[Text, Dimension] = Field(
        default_factory=dict,
        description="sizes of open dimensions of all models; a model's own go before them",
    )
    schedulers: Annotated[
        Annotated[Literal["all"], Tag("all")]
        | Annotated[list[SchedulerEntry], Field(min_length=1), Tag("list")],
        Discriminator(_scheduler_list),
    ] = Field(description="a list, or 'all' that are registered")
    streams: list[StreamSpec] = Field(
        default_factory=list,
        description="inferences that come again and again and share the SoC; default: one of each"
        " network, alone",
    )
    serve: ServeSpec | None = Field(
        default=None, description="how long streams run, and who decides what is next"
    )
    execution: RuntimeName = Field(default=DEFAULT, description="the runtime that executes plans")
    fidelity: Literal["fluid", "tile"] = Field(
        default="fluid", description="grain of the NPU model"
    )
    seed: int = Field(default=0, ge=0, lt=2**63, description="feeds whatever is random")
    unknown_operators: Literal["error", "bandwidth_bound"] = Field(
        default="error", description="what to do with operator kinds nobody models"
    )
    fold_batch_norm: bool = Field(
        default=True, description="BatchNormalization behind a Conv becomes part of its weights"
    )
    weights: StoredWeightsSpec | None = Field(
        default=None, description="how the weights of products are stored; default: as in the file"
    )
    time_limit: Limit | None = Field(
        default=None, description="how long one scheduler may think about one model"
    )
    reference: ReferenceSpec | None = None
    sweep: SweepSpec | None = Field(default=None, description="the grid of 'hetsim sweep'")
    explore: ExploreSpec | None = Field(default=None, description="the space of 'hetsim explore'")

    @property
    def reading(self) -> dict[str, Any]:
        """How its networks are read: options of :func:`hetsim.workload.networks.load_network`."""
        found: dict[str, Any] = {
            "unknown_operators": self.unknown_operators,
            "fold_batch_norm": self.fold_batch_norm,
        }
        if self.weights is not None:
            found["weights"] = self.weights.model_dump(exclude_none=True)
        return found
