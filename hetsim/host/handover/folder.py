"""What an exporter wrote, as runners find it: complete, of the model that was assigned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hetsim.errors import Location, ResultsError
from hetsim.plan.handover.assignment import Assignment, fingerprint

if TYPE_CHECKING:
    from onnx import ModelProto

WHOLE = "model.onnx"


def read_whole(directory: Path, assignment: Assignment) -> ModelProto:
    """The whole model of a directory, without its weights.

    Raises:
        WorkloadError: it is missing or cannot be read.
        ResultsError: it is not the model that was assigned; says which nodes differ.
    """
    from hetsim.workload.onnx.read import read_model

    model = read_model(directory / WHOLE)
    if fingerprint(model) != assignment.fingerprint:
        here = {node.name: (node.op_type, *filter(None, node.output)) for node in model.graph.node}
        planned = {node.name: (node.kind, *node.outputs) for node in assignment.nodes}
        differ = [name for name in planned if here.get(name) != planned[name]]
        differ += [name for name in here if name not in planned]
        raise ResultsError(
            f"it is not the model that was assigned; nodes that differ:"
            f" {', '.join(differ[:8]) or 'their inputs or order'}",
            where=Location(str(directory / WHOLE)),
            hint="export the plan again, from this version of the model",
        )
    return model
