"""``--to openvino``: the model, and the device of every node for HETERO.

OpenVINO takes the device of a node from the entry ``affinity`` of its runtime information, which
no file holds: whoever loads the model sets it ("Heterogeneous execution", manual mode). So
``affinity.json`` names the device of every tensor that a node makes; ``hetsim plan run`` sets them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from hetsim.plan.handover.assignment import Assignment
from hetsim.plan.handover.base import Export, Exporter, Order, assignment_of
from hetsim.plan.handover.document import NAME, dump_assignment
from hetsim.plan.handover.submodels import WEIGHTS, WHOLE, move_weights

AFFINITY = "affinity.json"


class OpenVino(Exporter):
    """A directory: the model, its weights, the assignment, the device of each tensor's maker."""

    summary = "a model and affinities for OpenVINO's HETERO"
    roles: ClassVar[Mapping[str, str]] = {"cpu": "CPU", "gpu": "GPU", "npu": "NPU"}
    choices: ClassVar[tuple[str, ...]] = ("CPU", "GPU", "GPU.1", "NPU")

    def export(self, order: Order) -> Export:
        """The model keeps its tensors' names, by which OpenVINO finds the nodes again."""
        assignment = assignment_of(order, self, "openvino")
        model = order.ready.model
        weights = move_weights(model)
        files: dict[str, str | bytes] = {
            NAME: dump_assignment(assignment),
            WHOLE: model.SerializeToString(),
            AFFINITY: json.dumps(affinities(assignment), indent=1, ensure_ascii=False) + "\n",
        }
        if weights:
            files[WEIGHTS] = weights
        return Export(files, assignment.notes)


def affinities(assignment: Assignment) -> dict[str, Any]:
    """The device string, and the device of the maker of every tensor, constants left out."""
    devices = dict.fromkeys(target.name for target in assignment.targets.values())
    made = {}
    for node in assignment.nodes:
        target = assignment.target_of(node)
        if target is not None and not node.copied:
            made.update(dict.fromkeys(node.outputs, target.name))
    return {"device": f"HETERO:{','.join(devices)}", "tensors": made}
