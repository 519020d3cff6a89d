"""Plans as YAML that a person can read, edit and run again.

The order of ``partitions`` is the plan's order; ``fuse`` is written only where it is off. See
:class:`PlanFile` for the fields, and :mod:`hetsim.plan.nestc` for NEST-C's own plan files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from hetsim.errors import ConfigError, PlanError
from hetsim.plan.model import Partition, Plan, Proof
from hetsim.validation import json_schema, validate
from hetsim.workload.rewrite import Rewrite
from hetsim.yamlio import Document, parse_yaml, read_yaml


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PartitionEntry(_Strict):
    """Operators that one PU runs back to back, as one call."""

    name: str = Field(min_length=1, description="label, unique in the plan")
    pu: str = Field(description="processing unit, e.g. npu, or cpu.0 for a worker of a cluster")
    operators: list[str] = Field(min_length=1, description="operator names, in execution order")
    fuse: bool = Field(default=True, description="apply the PU's fusion patterns inside")


class RewriteEntry(_Strict):
    """A change of the network that the plan is made for."""

    kind: Literal["merge", "pad"] = Field(
        description="merge: convolutions of one tensor into one; pad: a kernel with zeros"
    )
    operators: list[str] = Field(min_length=1, description="convolutions, by name")
    tail: list[str] = Field(
        default_factory=list, description="merge: kinds of activations merged behind them"
    )
    kernel: tuple[int, int] | None = Field(
        default=None, description="pad: height and width of the padded kernel"
    )


class ProofEntry(_Strict):
    """A lower bound proven along with the plan."""

    lower_bound_us: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        description="no plan without rewrites takes less, microseconds"
    )
    by: str = Field(description="the scheduler that proved it")


class PlanFile(_Strict):
    """A plan as written in its file."""

    hetsim: Literal["plan/1"] = Field(description="format of this file")
    model: str = Field(description="name of the network")
    scheduler: str = Field(default="by hand", description="who made the plan")
    parameters: dict[str, Any] = Field(default_factory=dict, description="of that scheduler")
    predicted_us: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = Field(
        default=None, description="makespan the scheduler expects, microseconds"
    )
    rewrites: list[RewriteEntry] = Field(
        default_factory=list,
        description="changes of the network, in order; partitions name operators that result",
    )
    partitions: list[PartitionEntry] = Field(
        min_length=1, description="in execution order: nothing stands before what it reads"
    )
    parallel_groups: list[list[str]] = Field(
        default_factory=list,
        description="neighbouring partitions on different PUs that the barrier runtime forks",
    )
    memories: dict[str, str] = Field(
        default_factory=dict, description="memory of tensors that lie off their PUs' own paths"
    )
    details: dict[str, Any] = Field(default_factory=dict, description="remarks for the report")
    proof: ProofEntry | None = Field(default=None, description="what was proven with it")


def plan_json_schema() -> dict[str, Any]:
    """The JSON Schema of a plan file, for editors."""
    return json_schema(PlanFile, "hetsim plan")


def dump_plan(plan: Plan) -> str:
    """``plan`` as YAML text, which :func:`load_plan` reads back to an equal plan.

    Tuples in ``parameters`` and ``details`` become lists, and times are kept in microseconds,
    which can change their last bit.
    """
    data: dict[str, Any] = {
        "hetsim": "plan/1",
        "model": plan.model,
        "scheduler": plan.scheduler,
    }
    if plan.parameters:
        data["parameters"] = _plain(plan.parameters)
    if plan.predicted_s is not None:
        data["predicted_us"] = _microseconds(plan.predicted_s)
    if plan.rewrites:
        data["rewrites"] = [_rewrite(rewrite) for rewrite in plan.rewrites]
    data["partitions"] = [_entry(partition) for partition in plan.partitions]
    if plan.parallel_groups:
        data["parallel_groups"] = [_InLine(group) for group in plan.parallel_groups]
    if plan.memories:
        data["memories"] = dict(plan.memories)
    if plan.details:
        data["details"] = _plain(plan.details)
    if plan.proof is not None:
        data["proof"] = {
            "lower_bound_us": _microseconds(plan.proof.seconds),
            "by": plan.proof.by,
        }
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100, indent=2)


def load_plan(path: str | Path) -> Plan:
    """Reads a plan file.

    Raises:
        PlanError: the file is missing, is not YAML or not a plan; located at the fault. Whether
            the plan fits a network and a SoC is :func:`hetsim.plan.validate.validate_plan`'s.
    """
    return _reading(lambda: read_yaml(path))


def parse_plan(text: str, file: str = "plan") -> Plan:
    """Reads a plan from YAML text; ``file`` is what locations in errors will say."""
    return _reading(lambda: parse_yaml(text, file))


def _reading(read: Any) -> Plan:
    try:
        document: Document = read()
        entry = validate(PlanFile, document)
    except ConfigError as error:
        raise PlanError(error.message, where=error.where, hint=error.hint) from None
    return Plan(
        model=entry.model,
        partitions=tuple(
            Partition(p.name, p.pu, tuple(p.operators), p.fuse) for p in entry.partitions
        ),
        parallel_groups=tuple(tuple(group) for group in entry.parallel_groups),
        scheduler=entry.scheduler,
        parameters=entry.parameters,
        predicted_s=None if entry.predicted_us is None else _seconds(entry.predicted_us),
        details=entry.details,
        memories=entry.memories,
        rewrites=tuple(
            Rewrite(r.kind, tuple(r.operators), tuple(r.tail), r.kernel) for r in entry.rewrites
        ),
        proof=None if entry.proof is None else _proof(entry.proof),
    )


def _entry(partition: Partition) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": partition.name,
        "pu": partition.pu,
        "operators": list(partition.operators),
    }
    if not partition.fuse:
        entry["fuse"] = False
    return entry


def _rewrite(rewrite: Rewrite) -> dict[str, Any]:
    entry: dict[str, Any] = {"kind": rewrite.kind, "operators": list(rewrite.operators)}
    if rewrite.tail:
        entry["tail"] = _InLine(rewrite.tail)
    if rewrite.kernel is not None:
        entry["kernel"] = _InLine(rewrite.kernel)
    return entry


def _microseconds(seconds: float) -> float:
    """``seconds`` in microseconds, in the fewest digits that mean the same number of seconds.

    Some numbers of seconds have no such float; they come back one unit in the last place off.
    """
    value = seconds * 1e6
    for digits in range(6, 17):
        short = float(f"{value:.{digits}g}")
        if _seconds(short) == seconds:
            return short
    return value


def _seconds(microseconds: float) -> float:
    return microseconds / 1e6


def _proof(entry: ProofEntry) -> Proof:
    return Proof(_seconds(entry.lower_bound_us), entry.by)


def _plain(value: object) -> Any:
    """Parameters and details as YAML knows them: no tuples, no foreign number types."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return [_plain(item) for item in items]
    if value is None or isinstance(value, bool | int | float | str):
        return json.loads(json.dumps(value)) if not isinstance(value, float) else float(value)
    item = getattr(value, "item", None)  # numpy scalars
    return _plain(item()) if callable(item) else str(value)


class _InLine(list[Any]):
    """A short list that reads better in one line."""


class _Dumper(yaml.SafeDumper):
    """Block style, indented lists, numbers that hetsim reads back as the same numbers."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        return super().increase_indent(flow, False)


def _write_float(dumper: _Dumper, value: float) -> yaml.Node:
    text = repr(value)
    if text in ("inf", "-inf", "nan"):
        text = {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}[text]
    return dumper.represent_scalar("tag:yaml.org,2002:float", text)


def _write_text(dumper: _Dumper, value: str) -> yaml.Node:
    # A bare 1e9 is a number to hetsim but text to plain YAML, so text like it needs quotes.
    style = "'" if _looks_like_number(value) else None
    if not value.isprintable():
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


def _looks_like_number(text: str) -> bool:
    try:
        float(text.replace("_", ""))
    except ValueError:
        return False
    return True


def _write_in_line(dumper: _Dumper, value: _InLine) -> yaml.Node:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=True)


_Dumper.add_representer(_InLine, _write_in_line)
_Dumper.add_representer(float, _write_float)
_Dumper.add_representer(str, _write_text)
