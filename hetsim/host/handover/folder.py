"""What an exporter wrote, as runners find it: complete, of the model that was assigned."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from hetsim.errors import Location, ResultsError
from hetsim.plan.handover.assignment import Assignment, fingerprint
from hetsim.plan.handover.submodels import WEIGHTS, WHOLE

if TYPE_CHECKING:
    from onnx import ModelProto


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
    weighty = any(tensor.external_data for tensor in model.graph.initializer)
    need_files(directory, [WEIGHTS] if weighty else [])
    return model


def need_files(directory: Path, names: Iterable[str]) -> None:
    """Raises ``ResultsError`` unless ``directory`` holds files of these names."""
    for name in names:
        if not (directory / name).is_file():
            raise ResultsError(
                "there is no such file",
                where=Location(str(directory / name)),
                hint="the directory is incomplete: export the plan again",
            )
