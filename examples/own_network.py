"""Run an ONNX file of your own.

Weights are not needed: hetsim reads shapes, so any exporter's file will do, and here one is built
from scratch. Prints what hetsim reads out of it, and the time it takes on a shipped SoC.
"""

import onnx
from onnx import TensorProto, helper

import hetsim

image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 64, 64])
scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 16, 1, 1])
filters = helper.make_tensor("filters", TensorProto.FLOAT, [16, 3, 3, 3], [0.0] * 432)
nodes = [
    helper.make_node("Conv", ["image", "filters"], ["maps"], name="conv", pads=[1, 1, 1, 1]),
    helper.make_node("Relu", ["maps"], ["active"], name="relu"),
    helper.make_node("GlobalAveragePool", ["active"], ["scores"], name="pool"),
]
graph = helper.make_graph(nodes, "small", [image], [scores], [filters])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), "small.onnx")

network = hetsim.load_onnx("small.onnx")
for operator in network.operators:
    print(f"{operator.name} ({operator.kind}): {operator.macs} MACs")

result = hetsim.run(
    "paper_one", {"soc": "edge-mcu"}, models=["small.onnx"], schedulers=["cpu_only", "npu_only"]
)
for run in result.runs:
    print(f"{run.scheduler}: {1e6 * run.makespan_s:.0f} us")
