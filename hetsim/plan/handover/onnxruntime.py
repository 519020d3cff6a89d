"""``--to onnxruntime``: the model with its nodes assigned, and each partition as a model.

``model.onnx`` is the whole network. Each node carries its unit in the metadata entry ``layer_ann``,
which the session option ``session.layer_assignment_settings`` of ``session.json`` maps to an
execution provider (ONNX Runtime, "Graph partitioning with annotations", from version 1.25 on). It
names providers and cannot tell two units of one provider apart, and providers that are plug-ins
refuse a graph from which nodes were taken out (1.32). So every partition is a model of its own
as well, to be run in order: that says the same to every version and every provider.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from hetsim.plan.handover.assignment import Assignment
from hetsim.plan.handover.base import Export, Exporter, Order, assignment_of
from hetsim.plan.handover.document import NAME, dump_assignment
from hetsim.plan.handover.submodels import WEIGHTS, WHOLE, cut, move_weights, part_file
from hetsim.workload.onnx.runnable import write_types

if TYPE_CHECKING:
    from onnx import ModelProto

SESSION = "session.json"
KEY = "layer_ann"
"""Metadata entry of a node by which ONNX Runtime finds its rule."""

CPU = "CPUExecutionProvider"

_PLAIN = re.compile(r"[^A-Za-z0-9_.-]")


class OnnxRuntime(Exporter):
    """A directory: the assigned model, a model for each partition, weights, session options."""

    summary = "models and session options for ONNX Runtime"
    roles: ClassVar[Mapping[str, str]] = {"cpu": CPU}
    choices: ClassVar[tuple[str, ...]] = (
        CPU, "CUDAExecutionProvider", "OpenVINOExecutionProvider", "QNNExecutionProvider",
        "and whatever onnxruntime.get_available_providers() says",
    )  # fmt: skip

    def export(self, order: Order) -> Export:
        """Weights are written once; all models of the directory share them."""
        assignment = assignment_of(order, self, "onnxruntime")
        model = order.ready.model
        write_types(model)
        weights = move_weights(model)
        parts = cut(model, assignment)
        annotate(model, assignment)
        files: dict[str, str | bytes] = {
            NAME: dump_assignment(assignment),
            WHOLE: model.SerializeToString(),
            SESSION: json.dumps(session_options(assignment), indent=1) + "\n",
        }
        files |= {part_file(i): part.SerializeToString() for i, part in enumerate(parts)}
        if weights:
            files[WEIGHTS] = weights
        return Export(files, assignment.notes + _notes(assignment))


def annotate(model: ModelProto, assignment: Assignment) -> None:
    """Writes the unit of every node that runs into its metadata."""
    pus = {n.name: assignment.parts[n.part].pu for n in assignment.nodes if n.part >= 0}
    for node in model.graph.node:
        kept = [entry for entry in node.metadata_props if entry.key != KEY]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
        if node.name in pus:
            entry = node.metadata_props.add()
            entry.key, entry.value = KEY, annotation(pus[node.name])


def annotation(pu: str) -> str:
    """A PU's name without what has a meaning in the session option."""
    return _PLAIN.sub("_", pu)


def session_options(assignment: Assignment) -> dict[str, Any]:
    """Providers in order of preference and session options that run ``model.onnx`` as planned.

    Providers are named in full: ``cpu`` would mean any provider whose device is a CPU.
    """
    rules: dict[str, list[str]] = {}
    options: dict[str, Mapping[str, str]] = {}
    for pu, target in assignment.targets.items():
        rules.setdefault(target.name, []).append(f"={annotation(pu)}")
        options.setdefault(target.name, target.options)
    ordered = sorted(rules, key=lambda name: name == CPU)  # stable: the last resort comes last
    if CPU not in rules:
        ordered.append(CPU)
    return {
        "providers": [[name, dict(options.get(name, {}))] for name in ordered],
        "session_options": {
            "session.layer_assignment_settings": "; ".join(
                f"{name}({', '.join(patterns)})" for name, patterns in rules.items()
            ),
            "session.record_ep_graph_assignment_info": "1",
        },
    }


def _notes(assignment: Assignment) -> tuple[str, ...]:
    """Units that one session cannot tell apart."""
    by_name: dict[str, list[str]] = {}
    for pu, target in assignment.targets.items():
        by_name.setdefault(target.name, []).append(pu)
    return tuple(
        f"{', '.join(pus)} are all {name}: one session cannot tell them apart, the parts can"
        for name, pus in by_name.items()
        if len(pus) > 1
    )
