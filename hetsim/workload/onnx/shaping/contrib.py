"""Shapes of ``com.microsoft``'s operators, as ONNX Runtime's "contrib operators" page states them.

Its optimiser, its quantiser and its exporters write them; ONNX's inference does not know them.
"""

from __future__ import annotations

from math import ceil

import numpy as np
from onnx import TensorProto

from hetsim.workload.onnx.ir import Value
from hetsim.workload.onnx.shaping.registry import OPEN, Form, Shaped, like_first, shape_rule

shape_rule(
    "FastGelu", "BiasGelu", "QuickGelu", "FusedGelu", "BiasAdd", "Inverse", "GroupNorm",
    "SimplifiedLayerNormalization", "RotaryEmbedding", "QLinearLeakyRelu", "QLinearSigmoid",
    "QLinearSoftmax", "GroupNormalization", "Silu", "BiasSoftmax",
    "MoE", "QMoE",
)(like_first)  # fmt: skip

_WINDOW = ("kernel_shape", "strides", "pads", "dilations", "auto_pad", "ceil_mode",
           "count_include_pad", "group", "storage_order")  # fmt: skip


@shape_rule("SkipLayerNormalization", "SkipSimplifiedLayerNormalization")
def _skip(form: Form) -> list[Shaped]:
    """The norm, its two statistics (training only), and the sum that was normalised."""
    return [form.like(), None, None, form.like()]


@shape_rule("SkipGroupNorm")
def _skip_group(form: Form) -> list[Shaped]:
    """The norm, and the sum that was normalised."""
    return [form.like(), form.like()]


@shape_rule("ComplexMul", "ComplexMulConj")
def _complex(form: Form) -> list[Shaped]:
    return [(form.type(0), form.broadcast(0, 1))]


@shape_rule("Rfft")
def _to_spectrum(form: Form) -> list[Shaped]:
    *outer, length = form.shape(0)
    return [(form.type(0), (*outer, length // 2 + 1, 2))]


@shape_rule("Irfft")
def _from_spectrum(form: Form) -> list[Shaped]:
    *outer, bins, _ = form.shape(0)
    return [(form.type(0), (*outer, 2 * (bins - 1)))]


@shape_rule("CropAndResize")
def _crop(form: Form) -> list[Shaped]:
    size = form.call.data(3)
    if size is None:
        return []
    height, width = (int(n) for n in size.reshape(-1))
    return [(form.type(0), (form.shape(1)[0], form.shape(0)[1], height, width))]


@shape_rule("BiasSplitGelu")
def _split_gelu(form: Form) -> list[Shaped]:
    *outer, width = form.shape(0)
    return [(form.type(0), (*outer, width // 2))]


# -- products -------------------------------------------------------------------------------------


@shape_rule("FusedConv", "NhwcFusedConv", "NhwcConv", "com.microsoft.nchwc.Conv")
def _fused_conv(form: Form) -> list[Shaped]:
    return _windowed(form, "Conv", [form.input(0), form.input(1)])


@shape_rule("QLinearConv")
def _qlinear_conv(form: Form) -> list[Shaped]:
    (found,) = _windowed(form, "Conv", [_float(form.input(0)), _float(form.input(3))])
    return [found and (form.type(7), found[1])]


@shape_rule("FusedGemm")
def _fused_gemm(form: Form) -> list[Shaped]:
    return form.standard("Gemm", [form.input(0), form.input(1)], ("transA", "transB"))


@shape_rule("QGemm")
def _qgemm(form: Form) -> list[Shaped]:
    operands = [_float(form.input(0)), _float(form.input(3))]
    (found,) = form.standard("Gemm", operands, ("transA", "transB"))
    result = form.type(8) if form.call.has(8) else TensorProto.FLOAT
    return [found and (result, found[1])]


@shape_rule("FusedMatMul", "FusedMatMulActivation", "TransposeMatMul", "GemmFastGelu")
def _fused_matmul(form: Form) -> list[Shaped]:
    left, right = matmul_operands(form.call.attributes, form.input(0), form.input(1))
    return form.standard("MatMul", [left, right])


def matmul_operands(attributes: object, left: Value, right: Value) -> tuple[Value, Value]:
    """The operands as a plain MatMul takes them.

    ``transA`` swaps the last two dimensions; ``transBatchA`` first moves dimension 0 in front of
    the last (so ``[M, B, K]`` is read as ``[B, M, K]``); likewise for B.
    """
    given = attributes if isinstance(attributes, dict) else {}
    turned = []
    for value, side in ((left, "A"), (right, "B")):
        shape = list(value.shape)
        if given.get(f"transBatch{side}") and len(shape) > 2:
            shape[:-1] = [*shape[1:-1], shape[0]]
        if given.get(f"trans{side}") and len(shape) > 1:
            shape[-2:] = reversed(shape[-2:])
        turned.append(Value(value.name, tuple(shape), value.elem_type, constant=value.constant))
    return turned[0], turned[1]


@shape_rule("DynamicQuantizeMatMul")
def _dynamic_matmul(form: Form) -> list[Shaped]:
    return _float_product(form, form.type(0))


@shape_rule("MatMulIntegerToFloat")
def _matmul_to_float(form: Form) -> list[Shaped]:
    return _float_product(form, form.type(2))


def _float_product(form: Form, elem_type: int) -> list[Shaped]:
    (found,) = form.standard("MatMul", [_float(form.input(0)), _float(form.input(1))])
    return [found and (elem_type, found[1])]


@shape_rule("MatMulNBits")
def _matmul_nbits(form: Form) -> list[Shaped]:
    columns = form.call.integer("N", 0)
    return [(form.type(0), (*form.shape(0)[:-1], columns))] if columns else []


# -- element-wise and movement on quantised tensors -----------------------------------------------


@shape_rule("QLinearAdd", "QLinearMul")
def _qlinear_binary(form: Form) -> list[Shaped]:
    return [(form.type(0), form.broadcast(0, 3))]


@shape_rule("QLinearWhere")
def _qlinear_where(form: Form) -> list[Shaped]:
    return [(form.type(1), form.broadcast(0, 1, 4))]


@shape_rule("QLinearConcat")
def _qlinear_concat(form: Form) -> list[Shaped]:
    """Inputs are the result's scale and zero point, then a tensor, its scale, its zero point."""
    tensors = [form.input(p) for p in range(2, len(form.call.inputs), 3)]
    return form.standard("Concat", tensors, ("axis",))


@shape_rule("QLinearReduceMean")
def _qlinear_mean(form: Form) -> list[Shaped]:
    axes = form.call.integers("axes", tuple(range(len(form.shape(0)))))
    rank, keep = len(form.shape(0)), form.call.integer("keepdims", 1)
    reduced = {axis % rank for axis in axes}
    kept = [
        1 if d in reduced else n for d, n in enumerate(form.shape(0)) if keep or d not in reduced
    ]
    return [(form.type(0), tuple(kept))]


@shape_rule("QLinearAveragePool", "NhwcMaxPool", "QLinearGlobalAveragePool")
def _pools(form: Form) -> list[Shaped]:
    kind = form.call.kind
    if kind == "QLinearGlobalAveragePool":
        batch, *inner = form.shape(0)
        last = form.call.integer("channels_last", 0)
        ones = (1,) * (len(inner) - 1)
        kept = (batch, *ones, inner[-1]) if last else (batch, inner[0], *ones)
        return [(form.type(0), kept)]
    plain = "AveragePool" if kind == "QLinearAveragePool" else "MaxPool"
    (found,) = _windowed(form, plain, [_float(form.input(0))])
    return [found and (form.type(0), found[1])]


@shape_rule("DequantizeLinear")
def _dequantised(form: Form) -> list[Shaped]:
    return [(form.type(1), form.shape(0))]


@shape_rule("QuantizeLinear")
def _quantised(form: Form) -> list[Shaped]:
    return [(form.type(2) if form.call.has(2) else TensorProto.UINT8, form.shape(0))]


@shape_rule("GatherBlockQuantized")
def _gather_blocks(form: Form) -> list[Shaped]:
    """Two elements of four bits may share a byte; the axis of the blocks tells."""
    table, axis = list(form.shape(0)), form.call.integer("gather_axis", 0)
    quantised = form.call.integer("quantize_axis", 1) % len(table)
    if form.input(0).dtype == "uint8":
        table[quantised] *= 8 // form.call.integer("bits", 4)
    axis %= len(table)
    return [(form.type(2), (*table[:axis], *form.shape(1), *table[axis + 1 :]))]


@shape_rule(".TopK")
def _top_k(form: Form) -> list[Shaped]:
    """Where the data decide how many, ONNX's inference forgets the other dimensions, too."""
    if not form.call.has(1) or form.call.data(1) is not None:
        return []
    shape = list(form.shape(0))
    shape[form.call.integer("axis", -1)] = OPEN
    return [(form.type(0), tuple(shape)), (TensorProto.INT64, tuple(shape))]


@shape_rule(".STFT")
def _spectrum(form: Form) -> list[Shaped]:
    """One side of the spectrum unless the file says otherwise, as the specification has it.

    ONNX's own inference takes both sides when the attribute is left out.
    """
    length = form.call.data(3)
    width = int(length.reshape(-1)[0]) if length is not None else form.input(2).elements
    step = form.call.data(1)
    if step is None:
        return []
    batch, samples = form.shape(0)[:2]
    frames = 1 + (samples - width) // int(step.reshape(-1)[0])
    bins = width // 2 + 1 if form.call.integer("onesided", 1) else width
    return [(form.type(0), (batch, frames, bins, 2))]


# -- attention and recurrence ---------------------------------------------------------------------


@shape_rule("Attention", "QAttention")
def _attention(form: Form) -> list[Shaped]:
    """Input ``[B, S, D]``, weights of queries, keys and values side by side; then the cache."""
    batch, length, _ = form.shape(0)
    quantised = form.call.kind == "QAttention"
    elem_type = form.type(3) if quantised else form.type(0)
    width = form.shape(1)[1] // 3
    values = form.call.integers("qkv_hidden_sizes", (width,) * 3)[2]
    heads = form.call.integer("num_heads", 1)
    past = 8 if quantised else 4
    known = form.shape(past)[3] if form.call.has(past) else 0
    present = (2, batch, heads, known + length, values // heads)
    return [(elem_type, (batch, length, values)), (elem_type, present)]


@shape_rule("MultiHeadAttention")
def _multi_head(form: Form) -> list[Shaped]:
    """Queries, keys, values ``[B, S, D]``, or packed as ``[B, S, heads, 3 or 2, size]``."""
    heads, query = form.call.integer("num_heads", 1), form.shape(0)
    batch, queries = query[:2]
    if len(query) == 5:  # queries, keys and values together
        keys, width, value_width = queries, query[4], query[4]
    else:
        width = query[2] // heads
        key = form.shape(1)
        if len(key) == 5:
            keys, value_width = key[1], key[4]
        else:
            keys = key[2] if len(key) == 4 else key[1]
            value = form.shape(2)
            value_width = value[3] if len(value) == 4 else value[2] // heads
    total = keys + (form.shape(6)[2] if form.call.has(6) else 0)
    kind = form.type(0)
    return [
        (kind, (batch, queries, heads * value_width)),
        (kind, (batch, heads, total, width)),
        (kind, (batch, heads, total, value_width)),
        (kind, (batch, heads, queries, total)),
    ]


@shape_rule("DecoderMaskedMultiHeadAttention")
def _decoder(form: Form) -> list[Shaped]:
    """The result, and the cache in its full length."""
    cache = [form.like(p) if form.call.has(p) else None for p in (5, 6)]
    return [form.like(), *cache]


@shape_rule("LinearAttention")
def _linear_attention(form: Form) -> list[Shaped]:
    """The result ``[B, T, heads * value width]`` and the state of each shared head."""
    batch, steps, width = form.shape(0)
    shared = form.call.integer("kv_num_heads", 1)
    key, value = form.shape(1)[2] // shared, form.shape(2)[2] // shared
    state = (form.type(0), (batch, shared, key, value))
    return [(form.type(0), (batch, steps, width // key * value)), state]


@shape_rule("CausalConvWithState")
def _causal_conv(form: Form) -> list[Shaped]:
    batch, channels, _ = form.shape(0)
    return [form.like(), (form.type(0), (batch, channels, form.shape(1)[-1] - 1))]


@shape_rule("GroupQueryAttention")
def _group_query(form: Form) -> list[Shaped]:
    """Queries ``[B, S, D]``, alone or with keys and values behind them, and the cache."""
    heads, shared = form.call.integer("num_heads", 1), form.call.integer("kv_num_heads", 1)
    batch, length, width = form.shape(0)
    packed = not form.call.has(1)
    size = width // (heads + 2 * shared) if packed else width // heads
    total = cached_length(form.call.data(6), length, form.shape(3)[2] if form.call.has(3) else 0)
    cache = (form.type(0), (batch, shared, total, size))
    return [(form.type(0), (batch, length, heads * size)), cache, cache]


def cached_length(total: object, length: int, past: int) -> int:
    """Keys that attention sees: what the file states, else those cached and the new ones."""
    if isinstance(total, np.ndarray) and total.size == 1:
        return max(past, int(total.reshape(-1)[0]))
    return past + length


@shape_rule("EmbedLayerNormalization")
def _embedding(form: Form) -> list[Shaped]:
    found = (form.type(2), (*form.shape(0), form.shape(2)[1]))
    return [found, (TensorProto.INT32, form.shape(0)[:1]), found]


@shape_rule("DynamicQuantizeLSTM")
def _dynamic_lstm(form: Form) -> list[Shaped]:
    """Weights are ``[directions, features, 4 * hidden]``, the other way round than LSTM's."""
    steps, batch, _ = form.shape(0)
    directions, hidden = form.shape(2)[0], form.call.integer("hidden_size", form.shape(2)[1])
    last = (form.type(0), (directions, batch, hidden))
    return [(form.type(0), (steps, directions, batch, hidden)), last, last]


# -- layouts of ONNX Runtime's own ----------------------------------------------------------------


@shape_rule("ReorderInput")
def _reorder_input(form: Form) -> list[Shaped]:
    """To channels in whole blocks: as many as the convolution that reads them has weights for,
    since the file does not say whether blocks are of eight or sixteen."""
    batch, *inner = form.shape(0)
    if form.call.integer("channels_last", 0):
        inner = [inner[-1], *inner[:-1]]
    stored = 8 * ceil(inner[0] / 8)
    for node in form.net.nodes:
        if node.kind == "Conv" and node.inputs[0] in form.names:
            per_group = form.net.values[node.inputs[1]].shape[1]
            stored = per_group * int(str(node.attributes.get("group", 1)))
            break
    return [(form.type(0), (batch, stored, *inner[1:]))]


@shape_rule("ReorderOutput")
def _reorder_output(form: Form) -> list[Shaped]:
    batch, stored, *spatial = form.shape(0)
    channels = form.call.integer("channels", stored)
    last = form.call.integer("channels_last", 0)
    kept = (batch, *spatial, channels) if last else (batch, channels, *spatial)
    return [(form.type(0), kept)]


def _windowed(form: Form, kind: str, operands: list[Value]) -> list[Shaped]:
    """ONNX's own operator, in its order of dimensions: channels may come last here."""
    if not (form.call.integer("channels_last", 0) or form.call.kind.startswith("Nhwc")):
        return form.standard(kind, operands, _WINDOW)
    first, *others = operands
    batch, *spatial, channels = first.shape
    turned = Value(first.name, (batch, channels, *spatial), first.elem_type)
    (found, *_) = form.standard(kind, [turned, *others], _WINDOW)
    if found is None:
        return [None]
    batch, channels, *spatial = found[1]
    return [(found[0], (batch, *spatial, channels))]


def _float(value: Value) -> Value:
    """The operand as float32, which every standard operator takes."""
    return Value(value.name, value.shape, TensorProto.FLOAT, constant=value.constant)
