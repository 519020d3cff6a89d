"""Graph rewrites: another network that computes the same, as data that a plan can carry.

Two kinds, both of convolutions with one group:

* ``merge``: convolutions of the same tensor become one, output channels summed, kernels padded
  with zeros to a common size (the *merge* stage of IOS, Ding et al., MLSys 2021, section 3). The
  activation functions behind them are merged too where the rewrite's ``tail`` says so.
* ``pad``: the kernel of one convolution is padded with zeros (a 1x1 that stands beside a 3x3).

What the padding adds is counted: MACs and weights are those of the padded kernels. Chains that
run as one kernel need no rewrite, the PU's fusion patterns say them (:mod:`hetsim.cost.fusion`).

How consumers address the parts. The last merged operator keeps the tensors of the operators it
replaces as its own outputs, one for each. They are slices of one buffer along the channels, which
costs nothing to read or write apart, so no Split appears, consumers stay as they are, and every
part crosses to other PUs by itself. Between a merged convolution and its merged activation there
is a single tensor, so that they still fuse.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from hetsim.errors import PlanError
from hetsim.names import nearest
from hetsim.workload.convolution import convolution_class
from hetsim.workload.graph import Graph, Operator, Tensor

ACTIVATIONS = frozenset(
    {"Relu", "LeakyRelu", "Elu", "Selu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Softplus"}
)  # fmt: skip
"""Element-wise kinds that may be merged behind convolutions: one input, no constants."""

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One change of the network.

    ``operators`` are the convolutions' names. ``tail``, for ``merge``: kinds of the activation
    functions behind each of them that are merged as well. ``kernel``, for ``pad``: the size to pad
    to, (height, width).
    """

    kind: Literal["merge", "pad"]
    operators: tuple[str, ...]
    tail: tuple[str, ...] = ()
    kernel: Pair | None = None


def merged_name(names: Iterable[str]) -> str:
    """What the operator that replaces those of ``names`` is called."""
    return "&".join(names)


def apply_rewrites(graph: Graph, rewrites: Sequence[Rewrite]) -> Graph:
    """The network after ``rewrites``, in their order; ``graph`` itself when there are none.

    O(V + E) however many there are.

    Raises:
        PlanError: lists every rewrite that is not possible, with the reason.
    """
    if not rewrites:
        return graph
    rewritten, problems = try_rewrites(graph, rewrites)
    if problems:
        lines = "".join(f"\n  - {problem}" for problem in problems)
        raise PlanError(f"network {graph.name!r} cannot be rewritten:{lines}")
    return rewritten


def try_rewrites(graph: Graph, rewrites: Sequence[Rewrite]) -> tuple[Graph, list[str]]:
    """The network after those ``rewrites`` that are possible, and why the others are not."""
    editor = _Editor(graph)
    problems = []
    for number, rewrite in enumerate(rewrites, 1):
        try:
            editor.apply(rewrite)
        except _ImpossibleError as reason:
            problems.append(f"rewrite {number} ({rewrite.kind}): {reason}")
    return editor.graph(), problems


class _ImpossibleError(Exception):
    """Why a rewrite is refused."""


class _Editor:
    """A network under change. Operators keep the place of the first one they replace."""

    def __init__(self, graph: Graph) -> None:
        self._old = graph
        self._slots: list[Operator | None] = list(graph.operators)
        self._place = dict(graph.index)
        self._tensors = dict(graph.tensors)

    def graph(self) -> Graph:
        """The network as it stands; checked."""
        old = self._old
        operators = [op for op in self._slots if op is not None]
        made = {t for op in operators for t in op.outputs}
        kept = [t for t in self._tensors.values() if t.name in made or t.name in old.inputs]
        return Graph.create(
            old.name, operators, kept, old.inputs, old.outputs,
            parameters=old.parameters, notes=old.notes, source=old.source, absorbed=old.absorbed,
            unread=old.unread,
        )  # fmt: skip

    def apply(self, rewrite: Rewrite) -> None:
        """Performs one rewrite, wholly or not at all."""
        if rewrite.kind == "merge":
            self._merge(rewrite)
        elif rewrite.kind == "pad":
            self._pad(rewrite)
        else:
            raise _ImpossibleError("there are only 'merge' and 'pad'")

    def _operator(self, name: str) -> Operator:
        if name not in self._place:
            guess = nearest(name, self._place)
            hint = f" (did you mean {guess!r}?)" if guess else ""
            raise _ImpossibleError(f"there is no operator {name!r}{hint}")
        found = self._slots[self._place[name]]
        assert found is not None
        return found

    def _pad(self, rewrite: Rewrite) -> None:
        if len(rewrite.operators) != 1 or rewrite.kernel is None or rewrite.tail:
            raise _ImpossibleError("it takes one convolution and the size of a kernel")
        conv = self._convolution(rewrite.operators[0])
        wanted = rewrite.kernel
        grown = tuple(w - k for w, k in zip(wanted, conv.kernel, strict=True))
        if min(grown) < 0:
            raise _ImpossibleError(f"{conv.op.name!r} has a kernel larger than {wanted}")
        shift = tuple(g // 2 * d for g, d in zip(grown, conv.dilation, strict=True))
        begin = (conv.begin[0] + shift[0], conv.begin[1] + shift[1])
        padded = _widened([conv], begin, wanted)
        self._slots[self._place[conv.op.name]] = replace(
            padded, name=conv.op.name, outputs=conv.op.outputs
        )

    def _merge(self, rewrite: Rewrite) -> None:
        names = rewrite.operators
        if len(names) < 2 or len(set(names)) < len(names) or rewrite.kernel is not None:
            raise _ImpossibleError("it takes two or more different convolutions and no kernel size")
        convs = [self._convolution(name) for name in names]
        for other in convs[1:]:
            _check_alike(convs[0], other)
        lanes = [[conv.op, *self._tail(conv.op, rewrite.tail)] for conv in convs]
        begin = _largest(conv.begin for conv in convs)
        kernel = _largest(conv.kernel_from(begin) for conv in convs)
        merged: list[Operator] = [_widened(convs, begin, kernel)]
        for level in range(1, len(lanes[0])):
            merged.append(_side_by_side([lane[level] for lane in lanes]))
        for level, op in enumerate(merged):
            parts = [lane[level] for lane in lanes]
            outputs = tuple(part.outputs[0] for part in parts)
            if level < len(merged) - 1:
                outputs = (self._joined(op.name, outputs),)
            inputs = op.inputs if level == 0 else (f"{merged[level - 1].name}.out",)
            places = [self._place.pop(part.name) for part in parts]
            for place in places:
                self._slots[place] = None
            self._place[op.name] = min(places)
            self._slots[min(places)] = replace(op, inputs=inputs, outputs=outputs)

    def _joined(self, name: str, parts: Sequence[str]) -> str:
        """One new tensor in place of ``parts``, joined along the channels."""
        shapes = [self._tensors[part].shape for part in parts]
        batch, _, *rest = shapes[0]
        shape = (batch, sum(shape[1] for shape in shapes), *rest)
        dtype = self._tensors[parts[0]].dtype
        self._tensors[f"{name}.out"] = Tensor(f"{name}.out", shape, dtype)
        return f"{name}.out"

    def _tail(self, op: Operator, kinds: Sequence[str]) -> list[Operator]:
        """The activation functions behind ``op``, one of each of ``kinds``."""
        found = []
        for kind in kinds:
            readers = [self._old.operators[i].name for i in self._old.consumers[op.outputs[0]]]
            if kind not in ACTIVATIONS:
                raise _ImpossibleError(f"{kind} cannot be merged behind a convolution")
            following = self._operator(readers[0]) if len(readers) == 1 else None
            if (
                following is None
                or following.kind != kind
                or len(following.inputs) != 1
                or len(following.outputs) != 1
                or following.weights
                or op.outputs[0] in self._old.output_set
            ):
                raise _ImpossibleError(f"{op.name!r} is not followed by a {kind} alone")
            found.append(following)
            op = following
        return found

    def _convolution(self, name: str) -> _Conv:
        op = self._operator(name)
        nest = op.nest
        if op.kind != "Conv" or nest is None or nest.weights_are_activations:
            raise _ImpossibleError(f"{name!r} is no convolution with constant weights")
        if nest.groups != 1:
            raise _ImpossibleError(f"{name!r} has {nest.groups} groups, not 1")
        if len(op.inputs) != 1 or len(op.outputs) != 1 or len(op.weights) != 1:
            raise _ImpossibleError(f"{name!r} is more than one plain convolution")
        shape = self._tensors[op.outputs[0]].shape
        if len(shape) != 4:
            raise _ImpossibleError(f"{name!r} is not two-dimensional")
        kernel, stride = (nest.k_h, nest.k_w), (nest.stride_h, nest.stride_w)
        dilation = (nest.dilation_h, nest.dilation_w)
        return _Conv(op, shape, kernel, stride, dilation, _begin(op))


@dataclass(frozen=True, slots=True)
class _Conv:
    """A convolution with one group: output shape, sizes, and padding before the first row."""

    op: Operator
    shape: tuple[int, ...]
    kernel: Pair
    stride: Pair
    dilation: Pair
    begin: Pair

    def kernel_from(self, begin: Pair) -> Pair:
        """The size its kernel needs when ``begin`` is padded in front of the data."""
        sizes = []
        for now, wanted, step, size in zip(
            self.begin, begin, self.dilation, self.kernel, strict=True
        ):
            if (wanted - now) % step:
                raise _ImpossibleError(f"{self.op.name!r} is padded by a fraction of its dilation")
            sizes.append(size + (wanted - now) // step)
        return sizes[0], sizes[1]


def _begin(op: Operator) -> Pair:
    """Rows above and columns left of the data that a convolution pads."""
    nest = op.nest
    assert nest is not None
    mode = str(op.attributes.get("auto_pad", "NOTSET"))
    if mode.startswith("SAME"):
        totals = [
            max(0, (out - 1) * stride + (kernel - 1) * dilation + 1 - size)
            for out, stride, kernel, dilation, size in (
                (nest.out_h, nest.stride_h, nest.k_h, nest.dilation_h, nest.in_h),
                (nest.out_w, nest.stride_w, nest.k_w, nest.dilation_w, nest.in_w),
            )
        ]
        first, second = (t // 2 if mode == "SAME_UPPER" else t - t // 2 for t in totals)
        return first, second
    pads = op.attributes.get("pads")
    if not isinstance(pads, tuple | list) or len(pads) != 4 or mode == "VALID":
        return 0, 0
    return int(pads[0]), int(pads[1])


def _check_alike(first: _Conv, other: _Conv) -> None:
    """Refuses convolutions that cannot be one."""
    pair = f"{first.op.name!r} and {other.op.name!r}"
    differing = {
        "read different tensors": first.op.inputs != other.op.inputs,
        "have different strides": first.stride != other.stride,
        "have different dilations": first.dilation != other.dilation,
        "write different heights or widths": first.shape[2:] != other.shape[2:],
        "have different zeros": first.op.sparsity != other.op.sparsity,
        "compute in different data types": (first.op.dtype, first.op.weights[0][0])
        != (other.op.dtype, other.op.weights[0][0]),
    }
    reasons = [text for text, differs in differing.items() if differs]
    if reasons:
        raise _ImpossibleError(f"{pair} {', '.join(reasons)}")


def _largest(pairs: Iterable[Pair]) -> Pair:
    first, second = zip(*pairs, strict=True)
    return max(first), max(second)


def _widened(convs: Sequence[_Conv], begin: Pair, kernel: Pair) -> Operator:
    """The convolution that computes all of ``convs`` with kernels of one size."""
    head = convs[0]
    assert head.op.nest is not None
    channels = sum(conv.shape[1] for conv in convs)
    nest = replace(head.op.nest, out_c=channels, k_h=kernel[0], k_w=kernel[1])
    biases = sum(
        conv.op.weight_elements - conv.shape[1] * nest.in_c * conv.kernel[0] * conv.kernel[1]
        for conv in convs
    )
    size = channels * nest.in_c * kernel[0] * kernel[1] + max(0, biases)
    end = [
        max(0, (out - 1) * stride + (k - 1) * dilation + 1 - data - before)
        for out, stride, k, dilation, data, before in (
            (nest.out_h, nest.stride_h, nest.k_h, nest.dilation_h, nest.in_h, begin[0]),
            (nest.out_w, nest.stride_w, nest.k_w, nest.dilation_w, nest.in_w, begin[1]),
        )
    ]
    attributes = {key: value for key, value in head.op.attributes.items() if key != "auto_pad"}
    attributes |= {"kernel_shape": kernel, "pads": (*begin, *end)}
    return replace(
        head.op,
        name=merged_name(conv.op.name for conv in convs),
        weights=((head.op.weights[0][0], size),),
        macs=nest.macs,
        element_ops=sum(conv.op.element_ops for conv in convs),
        nest=nest,
        attributes=attributes,
        variant=convolution_class(nest),
    )


def _side_by_side(parts: Sequence[Operator]) -> Operator:
    """The activation function that does the work of ``parts``."""
    head = parts[0]
    if any(dict(part.attributes) != dict(head.attributes) for part in parts):
        names = ", ".join(repr(part.name) for part in parts)
        raise _ImpossibleError(f"{names} have different attributes")
    return replace(
        head,
        name=merged_name(part.name for part in parts),
        element_ops=sum(part.element_ops for part in parts),
    )
