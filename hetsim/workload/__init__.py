"""Networks as operator graphs: loading ONNX, counting work, and the zoo.

:func:`~hetsim.workload.onnx.loader.load_onnx` reads a file and
:func:`~hetsim.workload.zoo.load_model` a network that comes with hetsim; both give
a :class:`~hetsim.workload.graph.Graph`. Imports only the ground (units, errors, names, YAML).
"""
