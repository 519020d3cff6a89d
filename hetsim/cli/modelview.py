"""What ``hetsim model`` shows and writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from hetsim.cli.refusals import counted_kinds, refusals
from hetsim.report.summary import share_text, tidy_time
from hetsim.runs.case import Case
from hetsim.runs.support import Support, support_of
from hetsim.schedulers.simple.preference import CPU
from hetsim.study.result import Rows, Shown, Words
from hetsim.units import format_quantity
from hetsim.workload.graph import Graph, Tensor
from hetsim.workload.summary import Summary

SCHEMA = "hetsim.model/1"


def summary_shown(found: Summary, case: Case | None) -> Iterator[Shown]:
    """The network on one screen; then, on a SoC, each unit."""
    graph = found.graph
    yield Words(
        f"{graph.name}: {len(graph)} operators, {_number(graph.macs, 'MACs')},"
        f" {_number(found.element_ops)} element operations, {_number(graph.parameters)} parameters",
        "bold",
    )
    for what, names in (("input", graph.inputs), ("output", graph.outputs)):
        for name in names:
            yield Words(f"  {what} {_tensor(graph.tensors[name])}")
    stored = ", ".join(f"{_size(size)} {dtype}" for dtype, size in found.weights.items())
    yield Words(f"  weights {stored or 'none'}")
    yield Words(
        f"  activations at most {_size(found.peak_bytes)} at once, when {found.peak_at} runs"
    )
    yield Words()
    yield _kinds(found)
    yield Words()
    rows = [
        (tensor.name, maker or "(input)", _shape(tensor), tensor.dtype, _size(tensor.nbytes))
        for tensor, maker in found.largest
    ]
    yield Rows(("largest tensors", "made by", "shape", "type", "size"), rows, left=4)
    for note in graph.notes:
        yield Words(f"note: {note}", "dim")
    if case is not None:
        yield from _units(case)


def _kinds(found: Summary) -> Rows:
    total = found.graph.macs or 1
    rows = [
        (
            row.kind, str(row.count), f"{row.macs / 1e6:,.1f}", share_text(row.macs / total),
            f"{row.element_ops / 1e6:,.2f}", f"{row.weight_bytes / 1024:,.1f}",
        )
        for row in found.kinds
    ]  # fmt: skip
    columns = ("kind", "operators", "MMACs", "of all", "M element ops", "weights KiB")
    return Rows(columns, rows, unbroken=range(6))


def _supports(case: Case) -> list[Support]:
    profile = case.problem().profile
    return [support_of(case.lowering, profile, pu) for pu in case.soc.pus]


def _units(case: Case) -> Iterator[Shown]:
    graph, supports = case.graph, _supports(case)
    total = graph.macs or 1
    rows = [
        (
            support.pu.name, support.pu.kind, f"{len(support.takes)} of {len(graph)}",
            share_text(_macs(graph, support.takes) / total), tidy_time(support.seconds),
        )
        for support in supports
    ]  # fmt: skip
    yield Words()
    title = f"on {case.soc.name}; kernels: of all it takes, back to back, data in place"
    yield Words(title, "bold")
    yield Rows(("unit", "kind", "takes", "of MACs", "kernels"), rows, left=2)
    for support in supports:
        if support.refuses:
            yield Words()
            yield refusals(support)
    back, nobody = _left(graph, _accelerators(supports)), _left(graph, supports)
    if back and _accelerators(supports):
        yield Words()
        yield Words(f"falls back to a CPU: {_counted(graph, back)}", "bold")
    if nobody:
        yield Words(f"no unit takes: {_counted(graph, nobody)}", "bold")
    if case.misfit:
        yield Words(f"note: {case.misfit}", "dim")


def _accelerators(supports: Sequence[Support]) -> list[Support]:
    return [support for support in supports if support.pu.spec.role != CPU]


def _left(graph: Graph, supports: Sequence[Support]) -> list[int]:
    """Operators that none of them takes."""
    taken = {op for support in supports for op in support.takes}
    return [op for op in range(len(graph)) if op not in taken]


def _counted(graph: Graph, ops: Sequence[int]) -> str:
    return counted_kinds(Counter(graph.operators[op].kind for op in ops))


def _macs(graph: Graph, ops: Sequence[int]) -> int:
    return sum(graph.operators[op].macs for op in ops)


def _tensor(tensor: Tensor) -> str:
    return f"{tensor.name}: {_shape(tensor)} {tensor.dtype}"


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "scalar"


def _size(amount: float) -> str:
    return format_quantity(amount, "size")


def _number(count: int, unit: str = "") -> str:
    for factor, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= factor:
            return f"{count / factor:.3g} {prefix}{unit}"
    return f"{count} {unit}".rstrip()


def summary_dict(found: Summary, case: Case | None) -> dict[str, object]:
    """The summary as plain JSON values; sizes in bytes, times in microseconds."""
    graph = found.graph
    answer: dict[str, object] = {
        "schema": SCHEMA,
        "model": graph.name,
        "inputs": [_tensor_dict(graph.tensors[name]) for name in graph.inputs],
        "outputs": [_tensor_dict(graph.tensors[name]) for name in graph.outputs],
        "operators": len(graph),
        "macs": graph.macs,
        "element_ops": found.element_ops,
        "parameters": graph.parameters,
        "weight_bytes": dict(found.weights),
        "peak_activation_bytes": found.peak_bytes,
        "peak_at": found.peak_at,
        "kinds": [
            {
                "kind": row.kind,
                "operators": row.count,
                "macs": row.macs,
                "element_ops": row.element_ops,
                "weight_bytes": row.weight_bytes,
            }
            for row in found.kinds
        ],
        "largest_tensors": [
            {**_tensor_dict(tensor), "made_by": maker} for tensor, maker in found.largest
        ],
        "notes": list(graph.notes),
    }
    if case is not None:
        supports = _supports(case)
        answer["soc"] = case.soc.name
        answer["units"] = [
            {
                "unit": support.pu.name,
                "kind": support.pu.kind,
                "operators": len(support.takes),
                "macs": _macs(graph, support.takes),
                "kernels_us": support.seconds * 1e6,
                "refuses": {
                    graph.operators[op].name: reason for op, reason in support.refuses.items()
                },
            }
            for support in supports
        ]
        for key, left in (("falls_back", _accelerators(supports)), ("no_unit", supports)):
            answer[key] = [graph.operators[op].name for op in _left(graph, left)]
        answer["does_not_fit"] = case.misfit or None
    return answer


def _tensor_dict(tensor: Tensor) -> dict[str, object]:
    return {
        "name": tensor.name,
        "shape": list(tensor.shape),
        "dtype": tensor.dtype,
        "bytes": tensor.nbytes,
    }
