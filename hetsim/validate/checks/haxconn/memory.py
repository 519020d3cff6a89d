"""What a convolution that repeats asks of the memory.

``trtexec`` repeats it with float32 tensors on the host's side, in two buffers: while one inference
computes, the input of the next is copied in and the result of the one before is copied out. On the
GPU, kernels change the data type around the convolution.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from hetsim.cost.measured.fit import alone_s
from hetsim.lower.lowering import Lowering
from hetsim.validate.checks.haxconn.corun import Xavier, plan_of
from hetsim.validate.checks.haxconn.pairs import GPU, Engine
from hetsim.workload.graph import DTYPE_BYTES, Graph
from hetsim.workload.onnx.loader import load_onnx
from hetsim.workload.zoo.builder import NetworkBuilder

HOST, DEVICE = DTYPE_BYTES["float32"], DTYPE_BYTES["float16"]


def convolution(shape: Sequence[int], channels: int, kernel: int, padding: int) -> Graph:
    """A network of one convolution and its rectifier; ``shape`` is N, C, H, W."""
    net = NetworkBuilder("convolution", shape)
    result = net.conv("conv", net.input, channels, kernel, padding=padding, bias=True)
    extents = [size + 2 * padding - kernel + 1 for size in shape[2:]]
    model = net.finish(net.relu("relu", result), (shape[0], channels, *extents))
    return load_onnx(model, name=net.name)


def utilisation(
    xavier: Xavier, shape: Sequence[int], channels: int, kernel: int, padding: int
) -> float:
    """The share of the memory's bandwidth that it takes while it repeats.

    Its bytes are those of the convolution, as lowered, of the two changes of data type, and of the
    two copies, which read and write. An inference takes as long as its kernels one after the other,
    or as all these bytes at the rate that the memory reaches, whichever is longer.
    """
    graph = convolution(shape, channels, kernel, padding)
    gpu = xavier.soc.by_name[GPU]
    lowering = Lowering(graph, xavier.soc, xavier.analytical)
    (launch,) = lowering.program(plan_of(Engine(graph.name, GPU), graph)).jobs[0].launches
    read, made = (prod(graph.tensors[name].shape) for name in (*graph.inputs, *graph.outputs))
    changed = [(read * HOST, read * DEVICE), (made * DEVICE, made * HOST)]
    kernels_s = alone_s(launch.work, gpu.home)
    kernels_s += sum(gpu.spec.dispatch + gpu.home.seconds(*both) for both in changed)
    moved = sum(phase.bytes for phase in launch.work.phases) + sum(map(sum, changed))
    moved += 2 * HOST * (read + made)
    seconds = max(kernels_s, gpu.home.seconds(moved, 0.0))
    return float(moved / (seconds * xavier.soc.spec.memory[gpu.memory].bandwidth))
