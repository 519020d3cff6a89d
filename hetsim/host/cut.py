"""Cutting a network's ONNX model into the partitions of a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hetsim.errors import WorkloadError
from hetsim.host.network import Network
from hetsim.plan.model import Plan

if TYPE_CHECKING:
    from onnx import ModelProto, ValueInfoProto


@dataclass(frozen=True)
class Slice:
    """A partition as a model of its own: what it reads, makes, and waits for (positions)."""

    name: str
    pu: str
    model: ModelProto
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    needs: tuple[int, ...]


class Cutter:
    """Cuts one network; tensors between pieces have the names of the operator graph."""

    def __init__(self, network: Network) -> None:
        from onnx.utils import Extractor

        self._network = network
        self._extractor = Extractor(network.model)
        graph = network.graph
        for name, tensor in graph.tensors.items():
            if name not in self._extractor.value_infos:
                self._extractor.value_infos[name] = _value_info(name, tensor.shape, tensor.dtype)
        self._operators = set(graph.index)

    def whole(self) -> ModelProto:
        """The uncut network, from its inputs to the outputs that the graph has."""
        graph = self._network.graph
        model: ModelProto = self._extractor.extract_model(list(graph.inputs), list(graph.outputs))
        return model

    def slices(self, plan: Plan) -> list[Slice]:
        """The partitions of a valid plan, in its order.

        Raises:
            WorkloadError: a partition that cannot stand alone.
        """
        graph = self._network.graph
        home = {name: i for i, p in enumerate(plan.partitions) for name in p.operators}
        made_by = {t: home[op.name] for op in graph.operators for t in op.outputs}
        result = []
        for position, partition in enumerate(plan.partitions):
            members = [graph.operator(name) for name in partition.operators]
            own = {t for op in members for t in op.outputs}
            inputs = tuple(dict.fromkeys(t for op in members for t in op.inputs if t not in own))
            outputs = tuple(
                t
                for op in members
                for t in op.outputs
                if t in graph.output_set
                or not graph.consumers[t]
                or any(home[graph.operators[c].name] != position for c in graph.consumers[t])
            )
            needs = tuple(sorted({made_by[t] for t in inputs if t in made_by}))
            model = self._extract(inputs, outputs, partition.operators)
            result.append(Slice(partition.name, partition.pu, model, inputs, outputs, needs))
        return result

    def empty(self, tensor: str) -> Any:
        """An array of zeros, shaped and typed like a tensor of the network."""
        import numpy as np
        from onnx import helper

        # As the file has it: a quantised tensor may be unsigned there.
        kind = self._extractor.value_infos[tensor].type.tensor_type.elem_type
        shape = self._network.graph.tensors[tensor].shape
        return np.zeros(shape, dtype=helper.tensor_dtype_to_np_dtype(kind))

    def _extract(
        self, inputs: Sequence[str], outputs: Sequence[str], members: Sequence[str]
    ) -> ModelProto:
        model: ModelProto = self._extractor.extract_model(list(inputs), list(outputs))
        foreign = [
            node.name
            for node in model.graph.node
            if node.name in self._operators and node.name not in members
        ]
        if foreign:
            raise WorkloadError(
                f"operators {', '.join(list(members)[:3])} of {self._network.graph.name} cannot be"
                f" cut out: they also need {foreign[0]}, by a path that carries only shapes",
                hint="simplify the model first (onnxsim), so that shapes are constants",
            )
        return model


def _value_info(name: str, shape: tuple[int, ...], dtype: str) -> ValueInfoProto:
    import numpy as np
    from onnx import helper

    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    info: ValueInfoProto = helper.make_tensor_value_info(name, kind, shape)
    return info
