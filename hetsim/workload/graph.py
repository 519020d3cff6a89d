"""The operator graph: what a network asks to be computed, free of any SoC.

A :class:`Graph` is built by :mod:`hetsim.workload.onnx.loader` and read by everyone else. It holds
no weights, only their sizes. View operators (Reshape, Identity, ...) are already gone: a consumer
of a view names the tensor underneath. Operators stand in a topological order that depends only
on the file, so every algorithm that walks ``graph.operators`` is deterministic.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from hetsim.errors import WorkloadError
from hetsim.workload.featuremaps import feature_maps

DTYPE_BYTES: Mapping[str, float] = {
    "float64": 8, "int64": 8, "uint64": 8, "float32": 4, "int32": 4, "uint32": 4,
    "float16": 2, "bfloat16": 2, "int16": 2, "uint16": 2, "int8": 1, "uint8": 1, "bool": 1,
    "float8": 1, "int4": 0.5, "uint4": 0.5, "float4": 0.5, "int2": 0.25, "uint2": 0.25,
}  # fmt: skip
"""Bytes of one element of each data type hetsim knows."""


def stored_size(elements: int, dtype: str) -> int:
    """Bytes of ``elements`` stored as ``dtype``, rounded up to whole bytes."""
    return -int(-elements * DTYPE_BYTES[dtype] // 1)


@dataclass(frozen=True, slots=True)
class Tensor:
    """An activation tensor: name, fully known shape, data type (a key of ``DTYPE_BYTES``)."""

    name: str
    shape: tuple[int, ...]
    dtype: str = "float32"

    @property
    def elements(self) -> int:
        """Number of elements."""
        count = 1
        for dim in self.shape:
            count *= dim
        return count

    def bytes_as(self, dtype: str) -> int:
        """Size in bytes when stored as ``dtype``, rounded up to whole bytes."""
        return stored_size(self.elements, dtype)

    def blocked(self, dimension: int, block: int) -> int:
        """Elements with ``dimension`` filled up to a multiple of ``block``."""
        if not self.shape:
            return 1
        size = self.shape[dimension]
        return self.elements // max(size, 1) * -(-size // block) * block

    @property
    def nbytes(self) -> int:
        """Size in bytes in its own data type."""
        return self.bytes_as(self.dtype)


@dataclass(frozen=True, slots=True)
class LoopNest:
    """The seven-loop form of a convolution or matrix product, per group.

    A convolution has ``in_c`` and ``out_c`` *per group*; a MatMul ``(B, M, K) x (B, K, N)`` is
    ``groups=B, out_h=1, out_w=M, in_c=K, out_c=N`` with a 1x1 kernel. ``macs`` is the product of
    all loops. ``in_h, in_w`` are the unpadded input extents. ``weights_are_activations`` marks a
    product of two computed tensors (attention), whose second operand is not a constant.
    """

    batch: int
    groups: int
    out_h: int
    out_w: int
    in_c: int
    out_c: int
    k_h: int = 1
    k_w: int = 1
    stride_h: int = 1
    stride_w: int = 1
    dilation_h: int = 1
    dilation_w: int = 1
    in_h: int = 1
    in_w: int = 1
    weights_are_activations: bool = False

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the whole operator."""
        return (
            self.batch * self.groups * self.out_h * self.out_w
            * self.in_c * self.out_c * self.k_h * self.k_w
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator of the graph.

    ``kind`` is the ONNX ``op_type``. ``inputs`` and ``outputs`` name activation tensors only;
    constants read are summed in ``weights`` (elements by dtype). ``macs`` counts products,
    ``element_ops`` counts every other arithmetic operation. ``nest`` is set where
    the ``macs`` are one convolution or matrix product. ``attributes`` are the ONNX attributes, as
    plain Python values. ``variant`` refines the kind: a convolution's class. ``sparsity`` names the
    pattern of zeros in the weights of its loops (:data:`hetsim.workload.weights.PATTERNS`).
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    weights: tuple[tuple[str, int], ...] = ()
    macs: int = 0
    element_ops: int = 0
    nest: LoopNest | None = None
    attributes: Mapping[str, object] = field(default_factory=dict, hash=False)
    variant: str = ""
    dtype: str = "float32"
    sparsity: str = ""

    def __post_init__(self) -> None:
        nest = self.nest
        loops = () if nest is None else (nest.batch, nest.groups, nest.out_h, nest.out_w, nest.in_c,
                                         nest.out_c, nest.k_h, nest.k_w)  # fmt: skip
        counts = (self.macs, self.element_ops, *loops, *(count for _, count in self.weights))
        if min(counts) < 0 or 0 in loops:
            raise WorkloadError(
                f"operator {self.name!r} ({self.kind}) would take {min(counts)} operations,"
                " elements or turns of a loop",
                hint="a shape is empty, or attributes contradict the shapes of the inputs",
            )

    @property
    def weight_elements(self) -> int:
        """Number of constant elements the operator reads."""
        return sum(count for _, count in self.weights)

    @property
    def kind_path(self) -> tuple[str, ...]:
        """Keys to look a per-kind parameter up by, most specific first."""
        return (f"{self.kind}.{self.variant}", self.kind) if self.variant else (self.kind,)


@dataclass(frozen=True)
class Graph:
    """A network: operators in topological order and the activation tensors between them.

    ``inputs`` and ``outputs`` name the tensors the application hands in and receives.
    ``parameters`` counts the constant elements of the file as published (before any folding), and
    ``unread`` those that the operators hold but do not read in one inference, as most rows of a
    table of embeddings.
    ``notes`` are remarks for the report, e.g. operators costed by a bandwidth-bound default.
    ``absorbed`` says, for each node of the file that is no operator here (a view, a folded
    BatchNormalization, the making of a constant), the operator that stands for it.
    Build with :meth:`create`, which checks the invariants.
    """

    name: str
    operators: tuple[Operator, ...]
    tensors: Mapping[str, Tensor]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    parameters: int = 0
    notes: tuple[str, ...] = ()
    source: str = ""
    absorbed: Mapping[str, str] = field(default_factory=dict)
    unread: int = 0

    @classmethod
    def create(
        cls,
        name: str,
        operators: Iterable[Operator],
        tensors: Iterable[Tensor],
        inputs: Iterable[str],
        outputs: Iterable[str],
        *,
        parameters: int = 0,
        notes: Iterable[str] = (),
        source: str = "",
        absorbed: Mapping[str, str] | None = None,
        unread: int = 0,
    ) -> Graph:
        """Checks and builds a graph.

        Raises:
            WorkloadError: empty graph, duplicate names, an input nobody produces, an operator
                that stands before its producer (which a cycle forces).
        """
        graph = cls(
            name,
            tuple(operators),
            {tensor.name: tensor for tensor in tensors},
            tuple(inputs),
            tuple(outputs),
            parameters,
            tuple(notes),
            source,
            absorbed or {},
            unread,
        )
        graph._check()
        return graph

    def _check(self) -> None:
        if not self.operators:
            raise WorkloadError(f"network {self.name!r} has no operators to run")
        known = set(self.inputs)
        names: set[str] = set()
        for op in self.operators:
            if op.name in names:
                raise WorkloadError(f"network {self.name!r} has two operators named {op.name!r}")
            names.add(op.name)
            for tensor in op.inputs:
                if tensor not in known:
                    raise WorkloadError(
                        f"operator {op.name!r} of {self.name!r} reads tensor {tensor!r} before"
                        " anything produces it (a cycle, or a missing input)"
                    )
            for tensor in op.outputs:
                if tensor in known:
                    raise WorkloadError(f"tensor {tensor!r} of {self.name!r} is produced twice")
                known.add(tensor)
        for tensor in self.outputs:
            if tensor not in known:
                raise WorkloadError(f"output {tensor!r} of {self.name!r} is never produced")
        missing = known - self.tensors.keys()
        if missing:
            raise WorkloadError(f"no shape is known for tensors {sorted(missing)[:5]}")

    def __len__(self) -> int:
        return len(self.operators)

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Position of each operator by name."""
        return {op.name: i for i, op in enumerate(self.operators)}

    @cached_property
    def output_set(self) -> frozenset[str]:
        """The names in ``outputs``, for quick look-up."""
        return frozenset(self.outputs)

    @cached_property
    def producer(self) -> Mapping[str, int]:
        """Position of the operator that writes each tensor (graph inputs are absent)."""
        return {t: i for i, op in enumerate(self.operators) for t in op.outputs}

    @cached_property
    def consumers(self) -> Mapping[str, tuple[int, ...]]:
        """Positions of the operators that read each tensor, ascending, without repeats."""
        readers: dict[str, list[int]] = {t: [] for t in self.tensors}
        for i, op in enumerate(self.operators):
            for t in dict.fromkeys(op.inputs):
                readers[t].append(i)
        return {t: tuple(r) for t, r in readers.items()}

    @cached_property
    def predecessors(self) -> tuple[tuple[int, ...], ...]:
        """For each operator, the operators it waits for, ascending."""
        producer = self.producer
        return tuple(
            tuple(sorted({producer[t] for t in op.inputs if t in producer}))
            for op in self.operators
        )

    @cached_property
    def successors(self) -> tuple[tuple[int, ...], ...]:
        """For each operator, the operators that wait for it, ascending."""
        lists: list[list[int]] = [[] for _ in self.operators]
        for i, preds in enumerate(self.predecessors):
            for p in preds:
                lists[p].append(i)
        return tuple(tuple(s) for s in lists)

    @cached_property
    def feature_maps(self) -> frozenset[str]:
        """Tensors of N, C and positions (:mod:`hetsim.workload.featuremaps`)."""
        shapes = {name: tensor.shape for name, tensor in self.tensors.items()}
        return feature_maps(((op.kind, op.inputs + op.outputs) for op in self.operators), shapes)

    def operator(self, name: str) -> Operator:
        """The operator called ``name``; ``KeyError`` when there is none."""
        return self.operators[self.index[name]]

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference."""
        return sum(op.macs for op in self.operators)
