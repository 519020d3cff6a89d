"""The networks there are, and the published figures they are checked against.

Some are the stripped model-zoo files that the onnx package ships with its tests, others are built
from their published structure. ``macs`` and ``parameters`` are as published, with their source;
where a file differs from what was published, ``remark`` says how.
"""

from __future__ import annotations

from hetsim.workload.zoo.entry import ZooModel, built

_TORCHVISION = "torchvision model documentation (GFLOPS there are multiply-accumulates)"

_META = "torchvision, meta data of its weights: _ops (10^9 multiply-accumulates) and num_params"
_TINY = (
    "MLPerf Tiny, reference models: parameters that Keras trains; multiply-accumulates as Arm's"
    " compiler Vela 5.2 counts them in the .tflite files"
)

PUBLISHED = (
    ZooModel(
        "alexnet", "AlexNet with grouped convolutions, Caffe's reference model", 0.724e9, 61.0e6,
        "Chen et al. 2016 (Eyeriss, ISSCC): 666 M in the convolutions at 227x227; the fully"
        " connected layers add 58.6 M. Parameters: Han et al. 2015",
        "the file takes 224x224, which makes the first feature map 54x54 instead of 55x55 and the"
        " later ones 26 and 12: 10 % fewer multiply-accumulates than published",
        file="bvlc_alexnet", comparable=frozenset({"parameters"}),
    ),
    ZooModel(
        "zfnet512", "ZFNet with 512 filters in each of its last three convolutions", None, None,
        "Zeiler and Fergus 2014, figure 3, widened",
        "512, 512, 512 filters and fully connected layers of 4096, 1024 and 1000; no totals were"
        " published for this variant",
        file="zfnet512",
    ),
    ZooModel(
        "googlenet", "GoogLeNet (Inception v1), without auxiliary classifiers", 1.58e9, 7.0e6,
        "Szegedy et al. 2015, table 1 (1.5 G, rounded down), as counted for Caffe's bvlc_googlenet",
        "the file rounds pooled extents down (55, 27, 13, 6) where Caffe rounds up (56, 28, 14, 7):"
        " 1.43 G multiply-accumulates as the file stands",
        file="inception_v1", comparable=frozenset({"parameters"}),
    ),
    ZooModel(
        "inception_v2", "Inception v2 (BN-Inception)", 2.0e9, None,
        "Szegedy et al. 2016 (Rethinking Inception), table 3: BN-Inception, 2.0 G",
        "no parameter count was published",
        file="inception_v2",
    ),
    ZooModel(
        "resnet50", "ResNet-50 as exported by Caffe2", 4.09e9, 25.56e6, _TORCHVISION,
        "the shipped file has its stride in the 3x3 convolutions (v1.5, 4.09 G); the 3.86 G often"
        " quoted belong to the original, whose stride sits in the 1x1",
        file="resnet50",
    ),
    ZooModel(
        "squeezenet", "SqueezeNet 1.1", 0.35e9, 1.24e6, _TORCHVISION, file="squeezenet",
    ),
    ZooModel(
        "shufflenet", "ShuffleNet v1 with 4 groups, as exported by Caffe2", None, 1.39e6,
        "ONNX model zoo, size of the weights file (5.3 MiB of float32)",
        "stages of 136, 272 and 544 channels whose units keep their full width inside; Zhang et al."
        " 2018 narrow them to a quarter and double the channels, so their 133 M (table 1, g = 4)"
        " belong to another network",
        file="shufflenet",
    ),
    ZooModel(
        "densenet121", "DenseNet-121", 2.83e9, 7.98e6, _TORCHVISION,
        "Caffe splits batch normalisation into normalise and scale, each with scale and shift, so"
        " the file holds 83,648 more parameters (1 %) than published",
        file="densenet121", comparable=frozenset({"macs"}),
    ),
    ZooModel("vgg19", "VGG-19", 19.63e9, 143.67e6, _TORCHVISION, file="vgg19"),
    ZooModel(
        "resnet18", "ResNet-18", 1.81e9, 11.69e6, _TORCHVISION, build=built("resnet", "resnet18"),
        ai_hub="resnet18",
    ),
    ZooModel(
        "resnet50_v1", "ResNet-50 as first published, stride in the 1x1 convolutions", 3.86e9,
        25.56e6, "He et al. 2016, table 1 (3.8 G, rounded down); 3.86 G is the sum over that table",
        build=built("resnet", "resnet50_v1"),
    ),
    ZooModel(
        "resnet50_v1_5", "ResNet-50, stride in the 3x3 convolutions", 4.09e9, 25.56e6, _TORCHVISION,
        build=built("resnet", "resnet50_v1_5"), ai_hub="resnet50",
    ),
    ZooModel(
        "resnext50_32x4d", "ResNeXt-50, 32 groups of width 4", 4.23e9, 25.03e6, _TORCHVISION,
        build=built("resnet", "resnext50_32x4d"), ai_hub="resnext50",
    ),
    ZooModel(
        "inception_v3", "Inception v3 at 299x299, without auxiliary classifier", 5.71e9, 23.83e6,
        f"{_TORCHVISION}; parameters without the auxiliary classifier",
        "torchvision's 27.16 M parameters include the auxiliary classifier, 3.33 M",
        build=built("inception", "inception_v3"),
    ),
    ZooModel(
        "inception_v3_224", "Inception v3 at 224x224, as it was measured", None, 23.83e6,
        f"{_TORCHVISION}; parameters without the auxiliary classifier",
        "the work was published for 299x299",
        build=built("inception", "inception_v3", 224), ai_hub="inception_v3",
    ),
    ZooModel(
        "mobilenet_v2", "MobileNet-V2, width 1.0", 0.30e9, 3.50e6,
        "Sandler et al. 2018, table 4 (300 M); parameters: torchvision",
        build=built("mobile", "mobilenet_v2"), ai_hub="mobilenet_v2",
    ),
    ZooModel(
        "squeezenet1_1", "SqueezeNet 1.1, built from its structure", 0.35e9, 1.24e6, _TORCHVISION,
        build=built("squeezenet", "squeezenet1_1"),
    ),
    ZooModel(
        "randwire", "RandWire-WS(4, 0.75), small regime, 78 channels", 0.583e9, 5.6e6,
        "Xie et al. 2019, table 2: 583 M (+- 6.2), 5.6 M (+- 0.1), mean of five random networks",
        "one drawn network of the family, so it lies within the published spread",
        build=built("randwire", "randwire"),
    ),
    ZooModel(
        "vit_b16", "ViT-Base, 16x16 patches, a transformer encoder", 17.56e9, 86.57e6, _TORCHVISION,
        build=built("transformer", "vit_b16"), ai_hub="vit",
    ),
    ZooModel(
        "resnet101", "ResNet-101, stride in the 3x3 convolutions", 7.801e9, 44.549e6,
        _META,
        build=built("resnet", "resnet101"), ai_hub="resnet101",
    ),
    ZooModel(
        "resnet152", "ResNet-152, stride in the 3x3 convolutions", 11.514e9, 60.193e6,
        _META,
        build=built("resnet", "resnet152"),
    ),
    ZooModel(
        "inception_v4", "Inception v4 at 299x299", 12.3e9, 42.7e6,
        "timm, model card of inception_v4.tf_in1k",
        build=built("inceptionv4", "inception_v4"),
    ),
    ZooModel(
        "wide_resnet50_2", "Wide ResNet-50-2", 11.398e9, 68.883e6,
        _META,
        build=built("resnet", "wide_resnet50_2"), ai_hub="wideresnet50",
    ),
    ZooModel(
        "resnext101_32x8d", "ResNeXt-101, 32 groups of width 8", 16.414e9, 88.791e6,
        _META,
        build=built("resnet", "resnext101_32x8d"), ai_hub="resnext101",
    ),
    ZooModel(
        "r3d_18", "R3D-18 on video", 40.697e9, 33.371e6,
        _META,
        build=built("video", "r3d_18"), ai_hub="resnet_3d",
    ),
    ZooModel(
        "mc3_18", "MC3-18 on video", 43.343e9, 11.695e6,
        _META,
        build=built("video", "mc3_18"), ai_hub="resnet_mixed",
    ),
    ZooModel(
        "r2plus1d_18", "R(2+1)D-18 on video", 40.519e9, 31.505e6,
        _META,
        build=built("video", "r2plus1d_18"), ai_hub="resnet_2plus1d",
    ),
    ZooModel(
        "googlenet_bn", "GoogLeNet with batch normalisation, as PyTorch has it", 1.498e9, 6.625e6,
        _META,
        build=built("googlenet", "googlenet_bn"), ai_hub="googlenet",
    ),
    ZooModel(
        "mobilenet_v3_small", "MobileNet-V3-Small", 56e6, 2.543e6,
        "Howard et al. 2019 (56 M); parameters: torchvision",
        build=built("mobile", "mobilenet_v3_small"), ai_hub="mobilenet_v3_small",
    ),
    ZooModel(
        "mobilenet_v3_large", "MobileNet-V3-Large", 0.217e9, 5.483e6,
        _META,
        "Howard et al. 2019 give 219 M, 1.1 % more",
        build=built("mobile", "mobilenet_v3_large"), ai_hub="mobilenet_v3_large",
    ),
    ZooModel(
        "mnasnet0_5", "MNASNet-B1 of half the width", 0.104e9, 2.219e6,
        _META,
        build=built("mobile", "mnasnet0_5"), ai_hub="mnasnet05",
    ),
    ZooModel(
        "efficientnet_b0", "EfficientNet-B0", 0.386e9, 5.289e6,
        _META,
        build=built("mobile", "efficientnet_b0"), ai_hub="efficientnet_b0",
    ),
    ZooModel(
        "efficientnet_v2_s", "EfficientNetV2-S at 384x384", 8.366e9, 21.458e6,
        _META,
        build=built("mobile", "efficientnet_v2_s"),
    ),
    ZooModel(
        "efficientnet_v2_s_224", "EfficientNetV2-S at 224x224, as it was measured", None, 21.458e6,
        _META,
        "the work was published for 384x384",
        build=built("mobile", "efficientnet_v2_s", 224), ai_hub="efficientnet_v2_s",
    ),
    ZooModel(
        "regnet_x_3_2gf", "RegNetX-3.2GF", 3.177e9, 15.297e6,
        _META,
        build=built("regnet", "regnet_x_3_2gf"), ai_hub="regnet",
    ),
    ZooModel(
        "regnet_y_800mf", "RegNetY-800MF, with squeeze and excitation", 0.834e9, 6.433e6,
        _META,
        build=built("regnet", "regnet_y_800mf"), ai_hub="regnet_y_800mf",
    ),
    ZooModel(
        "shufflenet_v2_x0_5", "ShuffleNet-V2 of half the width", 41e6, 1.367e6,
        "Ma et al. 2018 (41 M); parameters: torchvision",
        "40.48 M; the published 41 M are reached, rounded, where the sums of the last pooling"
        " count",
        build=built("shufflenet", "shufflenet_v2_x0_5"),
        comparable=frozenset({"parameters"}), ai_hub="shufflenet_v2",
    ),
    ZooModel(
        "shufflenet_v2_x1_0", "ShuffleNet-V2", 0.145e9, 2.279e6,
        _META,
        build=built("shufflenet", "shufflenet_v2_x1_0"),
    ),
    ZooModel(
        "convnext_tiny", "ConvNeXt-T", 4.456e9, 28.589e6,
        _META,
        build=built("convnext", "convnext_tiny"), ai_hub="convnext_tiny",
    ),
    ZooModel(
        "convnext_base", "ConvNeXt-B", 15.355e9, 88.591e6,
        _META,
        build=built("convnext", "convnext_base"), ai_hub="convnext_base",
    ),
    ZooModel(
        "swin_t", "Swin-T, attention in shifted windows", 4.491e9, 28.288e6,
        _META,
        "each pair of places has its bias, and shifted windows a mask, as exports write them:"
        " 0.53 M constants more than are trained",
        build=built("swin", "swin_t"), comparable=frozenset({"macs"}), ai_hub="swin_tiny",
    ),
    ZooModel(
        "video_mae_base", "VideoMAE with ViT-Base, on 16 frames", 180e9, 87.7e6,
        "Tong et al. 2022 (180 G for one clip); parameters: qualcomm/ai-hub-models",
        build=built("transformer", "video_mae_base"), ai_hub="video_mae",
    ),
    ZooModel(
        "bert_base", "BERT-Base on 128 tokens", 11.25e9, 110e6,
        "Sun et al. 2020 (MobileBERT): 22.5 G operations, two for each multiply-accumulate;"
        " parameters: Devlin et al. 2019",
        build=built("bert", "bert_base"),
    ),
    ZooModel(
        "bert_base_words", "BERT-Base on 384 tokens, guessing masked words", None, 110e6,
        "Devlin et al. 2019",
        "the table of words is in the head a second time, as exports have it (23.4 M); no work"
        " was published for 384 tokens",
        build=built("bert", "bert_base_words"),
        comparable=frozenset(), ai_hub="bert_base_uncased_hf",
    ),
    ZooModel(
        "distilbert_words", "DistilBERT on 384 tokens, guessing masked words", None, 66e6,
        "Sanh et al. 2019",
        "the table of words is in the head a second time, as exports have it (23.4 M); no work"
        " was published for 384 tokens",
        build=built("bert", "distilbert_words"),
        comparable=frozenset(), ai_hub="distil_bert_base_uncased_hf",
    ),
    ZooModel(
        "whisper_tiny_encoder", "The encoder of Whisper-tiny", None, 9.39e6,
        "qualcomm/ai-hub-models",
        "it computes the keys and values of the decoder's layers, too; no work was published. The"
        " measured export does the same work in 336 operators instead of 115: products are 1x1"
        " convolutions there, attention a product for each head",
        build=built("transformer", "whisper_tiny_encoder"), ai_hub="whisper_tiny/HfWhisperEncoder",
    ),
    ZooModel(
        "whisper_small_encoder", "The encoder of Whisper-small", None, 102e6,
        "qualcomm/ai-hub-models",
        "it computes the keys and values of the decoder's layers, too; no work was published. The"
        " measured export does the same work in 1784 operators instead of 331: products are 1x1"
        " convolutions there, attention a product for each head",
        build=built("transformer", "whisper_small_encoder"),
        ai_hub="whisper_small/HfWhisperEncoder",
    ),
    ZooModel(
        "unet", "U-Net at 640x1280, padded and normalised", None, 31.0e6,
        "Ronneberger et al. 2015, figure 1; parameters: qualcomm/ai-hub-models",
        "no work was published",
        build=built("unet", "unet"), ai_hub="unet_segmentation",
    ),
    ZooModel(
        "yolox_s", "YOLOX-s at 640x640, whole but for decoding", 13.4e9, 9.0e6,
        "Ge et al. 2021: 26.8 G operations, two for each multiply-accumulate",
        build=built("yolox", "yolox_s"), ai_hub="yolox",
    ),
    ZooModel(
        "yamnet", "YAMNet, classes of sound", 69.2e6, 3.73e6,
        "YAMNet (tensorflow/models): 69.2 M multiplies; parameters: qualcomm/ai-hub-models",
        build=built("separable", "yamnet"), ai_hub="yamnet",
    ),
    ZooModel(
        "mobilenet_v1_025", "MLPerf Tiny, visual wake words: MobileNet (V1) of width 0.25",
        7489664, 216322,
        _TINY,
        build=built("separable", "mobilenet_v1_025"),
    ),
    ZooModel(
        "ds_cnn", "MLPerf Tiny, keyword spotting: DS-CNN", 2656768, 23756,
        _TINY,
        build=built("separable", "ds_cnn"),
    ),
    ZooModel(
        "resnet8", "MLPerf Tiny, image classification: ResNet-8", 12501632, 78186,
        _TINY,
        build=built("tiny", "resnet8"),
    ),
    ZooModel(
        "toy_autoencoder", "MLPerf Tiny, anomaly detection: deep autoencoder", 264192, 267928,
        _TINY,
        build=built("tiny", "toy_autoencoder"),
    ),
)  # fmt: skip
"""In the order of ``hetsim list models``, before those of :mod:`hetsim.workload.zoo.xrbench`."""
