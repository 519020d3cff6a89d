"""Why a provider left a node: the node is offered to it again, alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from hetsim.errors import HetsimError
from hetsim.host.handover.providers import assigned_nodes, open_placed
from hetsim.plan.handover.assignment import AssignedNode, Assignment

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

MOST = 64
"""Different nodes (provider, kind, types and shapes) that are offered."""


def refusals(
    directory: Path, model: ModelProto, assignment: Assignment, assigned: Mapping[str, str]
) -> dict[str, str]:
    """What to say of each node that ran elsewhere, by name.

    ``model`` has the shapes of its tensors; its weights are in ``directory``.
    """
    offers = _Offers(model)
    alike: dict[tuple[str, str], list[AssignedNode]] = {}
    for node in assignment.nodes:
        target = assignment.target_of(node)
        if target is not None and assigned.get(node.name, target.name) != target.name:
            alike.setdefault((target.name, offers.signature(node)), []).append(node)
    targets = {target.name: target for target in assignment.targets.values()}
    told: dict[str, str] = {}
    for (name, signature), nodes in list(alike.items())[:MOST]:
        try:
            alone = offers.alone(nodes[0])
            session = open_placed(alone, [targets[name]], nodes[0].kind, directory)
        except (HetsimError, KeyError):  # then there is nothing to say
            continue
        takes = name in assigned_nodes(session).values()
        text = f"takes {signature} alone, and left it here" if takes else f"takes no {signature}"
        told.update((node.name, f"{name} {text}") for node in nodes)
    return told


class _Offers:
    """Nodes of a model as models of their own."""

    def __init__(self, model: ModelProto) -> None:
        graph = model.graph
        self._model = model
        self._nodes: dict[str, NodeProto] = {node.name: node for node in graph.node}
        self._weights = {tensor.name: tensor for tensor in graph.initializer}
        self._types = {i.name: i for i in (*graph.value_info, *graph.input, *graph.output)}

    def signature(self, node: AssignedNode) -> str:
        """Kind, and types and shapes of what it reads, as people write them."""
        return f"{node.kind}({', '.join(map(self._typed, node.inputs))})"

    def alone(self, node: AssignedNode) -> bytes:
        """A model of one node; raises ``KeyError`` when a tensor's type is not known."""
        from onnx import ModelProto as Proto

        result = Proto(ir_version=self._model.ir_version)
        result.opset_import.extend(self._model.opset_import)
        result.graph.name = node.name
        result.graph.node.append(self._nodes[node.name])
        for tensor in dict.fromkeys(node.inputs):
            if tensor in self._weights:
                result.graph.initializer.append(self._weights[tensor])
            else:
                result.graph.input.append(self._types[tensor])
        result.graph.output.extend(self._types[tensor] for tensor in node.outputs)
        content: bytes = result.SerializeToString()
        return content

    def _typed(self, tensor: str) -> str:
        from onnx import TensorProto

        if tensor in self._weights:
            weight = self._weights[tensor]
            kind, shape = weight.data_type, list(weight.dims)
        elif tensor in self._types:
            found = self._types[tensor].type.tensor_type
            kind, shape = found.elem_type, [dim.dim_value for dim in found.shape.dim]
        else:
            return "?"
        name: str = TensorProto.DataType.Name(kind)
        return f"{name.lower()}[{'x'.join(map(str, shape))}]"
