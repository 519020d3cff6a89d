"""TFLite's operators in ONNX's names, so that SoC files and cost rules need to know one language.

One module a family: :mod:`~hetsim.workload.tflite.kinds.plain` has the kinds that work element by
element on the same operands, the others those whose operands or attributes are written in another
way. What is in none keeps TFLite's name, and nobody models it.

Layout: convolutions and pools of TFLite run over N, H, W, C; here as everywhere they are told as
N, C, H, W (:mod:`hetsim.workload.tflite.layout`). The memory they take is the same.
"""

from hetsim.workload.tflite.kinds import movement, plain, products, windows
from hetsim.workload.tflite.kinds.plain import FUSED
from hetsim.workload.tflite.kinds.registry import Made, translate
from hetsim.workload.tflite.kinds.views import VIEWS, is_view

__all__ = [
    "FUSED",
    "VIEWS",
    "Made",
    "is_view",
    "movement",
    "plain",
    "products",
    "translate",
    "windows",
]
