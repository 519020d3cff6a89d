"""Recurrent layers and fused attention.

A recurrent layer multiplies every step's input and state by its gates' weights; both products
share rows and columns, so together they are one nest whose reduction runs over input and state.
The two products of attention (scores, then weighted values) join the same way.
"""

from __future__ import annotations

from hetsim.errors import WorkloadError
from hetsim.workload.costing.elementwise import EXP, SIGMOID, TANH
from hetsim.workload.costing.registry import Call, Cost, rule
from hetsim.workload.graph import LoopNest

_GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
_CELL_OPS = {
    "LSTM": 3 * SIGMOID + 2 * TANH + 4,
    "GRU": 2 * SIGMOID + TANH + 5,
    "RNN": TANH,
}
"""Arithmetic for each element of the hidden state and step, products excluded."""


@rule("LSTM", "GRU", "RNN", control=(4,))
def _recurrent(call: Call) -> Cost:
    data, weight, recurrence = call.input(0), call.input(1), call.input(2)
    directions, gate_rows, features = weight.shape
    hidden = recurrence.shape[-1]
    batch_first = call.integer("layout", 0)
    batch, steps = data.shape[:2] if batch_first else data.shape[1::-1]
    if gate_rows != _GATES[call.kind] * hidden:
        raise WorkloadError(
            f"operator {call.name!r} ({call.kind}): weights of shape {list(weight.shape)} do not"
            f" hold {_GATES[call.kind]} gates of {hidden}"
        )
    nest = LoopNest(
        batch=1,
        groups=directions,
        out_h=steps,
        out_w=batch,
        in_c=features + hidden,
        out_c=gate_rows,
        in_h=steps,
        in_w=batch,
        weights_are_activations=not weight.constant,
    )
    cells = directions * steps * batch * hidden
    return Cost.of_nest(nest, element_ops=_CELL_OPS[call.kind] * cells)


def attention_cost(
    batch: int, heads: int, queries: int, keys: int, width: int, value_width: int
) -> Cost:
    """Scaled dot-product attention, scores and weighted values, softmax included."""
    nest = LoopNest(
        batch=1,
        groups=batch * heads,
        out_h=1,
        out_w=queries,
        in_c=width + value_width,
        out_c=keys,
        in_w=queries,
        weights_are_activations=True,
    )
    scores = batch * heads * queries * keys
    return Cost.of_nest(nest, element_ops=(1 + EXP + 4) * scores)


@rule("Attention", "QAttention")
def _attention(call: Call) -> Cost:
    if "num_heads" in call.attributes:
        return _projected_attention(call)
    query, key, value = call.input(0), call.input(1), call.input(2)
    past = call.input(4).shape[-2] if call.has(4) else 0
    if query.rank == 4:
        batch, heads, queries, width = query.shape
        keys, value_width = key.shape[2] + past, value.shape[3]
    else:
        batch, queries, total = query.shape
        heads = call.integer("q_num_heads", 1)
        width = total // heads
        keys = key.shape[1] + past
        value_width = value.shape[2] // call.integer("kv_num_heads", heads)
    return attention_cost(batch, heads, queries, keys, width, value_width)


def _projected_attention(call: Call) -> Cost:
    """com.microsoft Attention: one product for queries, keys and values, then attention."""
    data, weight = call.input(0), call.input(1)
    batch, length, features = data.shape
    heads = call.integer("num_heads", 1)
    sizes = call.integers("qkv_hidden_sizes", (weight.shape[1] // 3,) * 3)
    inner = attention_cost(batch, heads, length, length, sizes[0] // heads, sizes[2] // heads)
    projection = batch * length * features * weight.shape[1]
    return Cost(macs=inner.macs + projection, element_ops=inner.element_ops)


@rule("MultiHeadAttention")
def _multi_head(call: Call) -> Cost:
    """Queries, keys and values apart as ``[batch, length, width]``, or packed with five
    dimensions; cached keys count as well."""
    heads, query = call.integer("num_heads", 1), call.input(0)
    batch, queries = query.shape[:2]
    past = call.input(6).shape[-2] if call.has(6) else 0
    if query.rank == 5:
        width = query.shape[4]
        return attention_cost(batch, heads, queries, queries + past, width, width)
    key, width = call.input(1), query.shape[2] // heads
    if key.rank == 5:
        return attention_cost(batch, heads, queries, key.shape[1] + past, width, key.shape[4])
    value = call.input(2)
    keys = key.shape[-2]
    value_width = value.shape[3] if value.rank == 4 else value.shape[2] // heads
    return attention_cost(batch, heads, queries, keys + past, width, value_width)


@rule("GroupQueryAttention", control=(5, 6))
def _group_query(call: Call) -> Cost:
    """Every query head works; keys and values of a group of heads are the same ones.

    Half of the scores are masked where a prompt is read; runtimes compute them all the same.
    """
    batch, queries = call.input(0).shape[:2]
    heads = call.integer("num_heads", 1)
    result = next(value for value in call.outputs if value is not None)
    width = result.shape[2] // heads
    past = call.input(3).shape[2] if call.has(3) else 0
    total = call.data(6)
    known = None if total is None else max(past, int(total.reshape(-1)[0]))
    return attention_cost(
        batch, heads, queries, past + queries if known is None else known, width, width
    )


@rule("DecoderMaskedMultiHeadAttention")
def _decoder(call: Call) -> Cost:
    """One new token: its queries over the cache, which this kind holds in full (or over the keys
    of the encoder)."""
    heads, query = call.integer("num_heads", 1), call.input(0)
    keys = call.input(5 if call.has(5) else 1)
    total = keys.shape[2] if keys.rank == 4 else keys.shape[1]
    width = query.shape[2] // heads
    return attention_cost(query.shape[0], heads, query.shape[1], total, width, width)


@rule("LinearAttention")
def _linear_attention(call: Call) -> Cost:
    """A state of key width by value width for each head, instead of all keys and values.

    Every token adds the product of its key and value and is read by each query that shares it; the
    delta rule reads the state once more, by the key, and a gate scales it.
    """
    batch, steps, queries = call.input(0).shape
    shared = call.integer("kv_num_heads", 1)
    key, value = call.input(1).shape[2] // shared, call.input(2).shape[2] // shared
    rule_name, heads = call.text("update_rule", "gated_delta"), queries // key
    passes = heads + shared * (2 if "delta" in rule_name else 1)
    ops = shared * key * (value + EXP) if "gated" in rule_name else 0
    return Cost(macs=batch * steps * passes * key * value, element_ops=batch * steps * ops)


@rule("RotaryEmbedding")
def _rotary(call: Call) -> Cost:
    """Two multiplications and an addition for each element."""
    return Cost(element_ops=3 * call.result_elements)
