"""XRBench's networks, and what was published of them (Kwon et al., MLSys 2023)."""

from __future__ import annotations

from hetsim.workload.zoo.entry import ZooModel, built

_XRBENCH = (
    "XRBench, its published table of layers (github.com/XRBench/XRBench-MLSys2023, usage_scenarios)"
)

XRBENCH = (
    ZooModel(
        "res8_narrow", "XRBench, keyword detection: res8-narrow", 6.75e6, 19.9e3,
        f"{_XRBENCH}; parameters: Tang and Lin 2018, table 2",
        "normalisations have neither scale nor shift, but a mean and a variance, which the graph"
        " counts: 1 % more parameters than were trained",
        build=built("sequences", "res8_narrow"), comparable=frozenset({"macs"}),
    ),
    ZooModel(
        "emformer_24", "XRBench, speech recognition: Emformer, 24 layers", None, 75.5e6,
        _XRBENCH,
        "the table has the products with weights, 9.66 G multiply-accumulates; attention to 128"
        " frames and the layer before the first are 0.4 G more",
        build=built("sequences", "emformer_24"),
    ),
    ZooModel(
        "ed_tcn", "XRBench, action segmentation: ED-TCN on 644 frames", 0.3545e9, 0.743e6,
        _XRBENCH,
        build=built("sequences", "ed_tcn"),
    ),
    ZooModel(
        "ritnet", "XRBench, eye segmentation: RITnet at 160x100", None, 248900,
        "Chaudhary et al. 2019, table 3",
        "published for 640x400; XRBench takes a quarter of both, and its table has 32 channels even"
        " before the convolutions that read several features: 1.09 G instead of 1.03",
        build=built("eyes", "ritnet"),
    ),
    ZooModel(
        "fbnet_c", "FBNet-C", 0.375e9, 5.5e6, "Wu et al. 2019, table 3",
        "5.57 M parameters, of which the paper tells 5.5",
        build=built("mobile", "fbnet_c"), comparable=frozenset({"macs"}),
    ),
    ZooModel(
        "fbnet_c_160x100", "XRBench, gaze estimation: FBNet-C at 160x100", None, 5.57e6,
        "parameters as at 224x224",
        "XRBench's table has no strides and no groups in it: 7.1 G multiply-accumulates instead of"
        " 0.14",
        build=built("mobile", "fbnet_c", 160, 100),
    ),
    ZooModel(
        "hand_graph_cnn_half", "XRBench, hand tracking: Graph-CNN of half the size", None, None,
        _XRBENCH,
        "the table's 212 convolutions to the digit, 4.05 G multiply-accumulates, once the first one"
        " has its stride; products with graphs, dense here, are 0.12 G more",
        build=built("hourglass", "hand_graph_cnn_half"),
    ),
    ZooModel(
        "d2go_rcnn", "XRBench, object detection: Faster R-CNN on FBNetV3, one region", None, None,
        _XRBENCH,
        "the table's 138 layers and all of their weights; it has no strides and no groups in it:"
        " 14.3 G multiply-accumulates instead of 0.44",
        build=built("detector", "d2go_rcnn"),
    ),
    ZooModel(
        "plane_rcnn_body", "XRBench, plane detection: PlaneRCNN at 160x160 without its heads", None,
        None, _XRBENCH,
        "the first 112 layers of the table, which has no strides in it, and all of their weights",
        build=built("detector", "plane_rcnn_body"),
    ),
    ZooModel(
        "sparse_to_dense", "XRBench, depth refinement: RGBd-200 of sparse-to-dense", None, 13.67e6,
        _XRBENCH,
        "the table has no strides in it: 19.1 G multiply-accumulates instead of 14.7",
        build=built("depth", "sparse_to_dense"),
    ),
    ZooModel(
        "midas_small", "XRBench, depth estimation: MiDaS v2.1 small at 192x256", None, 16.6e6,
        "qualcomm/ai-hub-models",
        "XRBench's table has no strides and no groups in it: 37.8 G multiply-accumulates instead of"
        " 3.4",
        build=built("depth", "midas_small"),
    ),
)  # fmt: skip
"""In the order of ``hetsim list models``."""
