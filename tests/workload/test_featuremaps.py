"""Which tensors are N, C and positions: said by convolutions, carried on by what joins elements."""

from __future__ import annotations

from hetsim.workload.featuremaps import feature_maps

MAP, CACHE = (1, 8, 4, 4), (6, 1, 4, 4)


def found(*operators, **shapes):
    named = [(kind, tensors.split()) for kind, tensors in operators]
    every = {name for _, tensors in named for name in tensors}
    return feature_maps(named, {name: shapes.get(name, MAP) for name in every})


def test_what_leads_to_a_convolution_and_what_follows_it():
    operators = [("Sub", "image centred"), ("Div", "centred scaled"), ("Conv", "scaled a"),
                 ("Sigmoid", "a s"), ("Mul", "a s b"), ("Transpose", "b t"),
                 ("MatMul", "t m"), ("Softmax", "m y")]  # fmt: skip
    assert found(*operators) == {"image", "centred", "scaled", "a", "s", "b"}


def test_vectors_are_none_and_a_concatenation_must_be_of_maps():
    operators = [("Conv", "x a"), ("Concat", "a b c"), ("Concat", "a cache kept"), ("Mul", "a v w")]
    maps = found(*operators, cache=CACHE, kept=(7, 8, 4, 4), v=(8,))
    assert maps == {"x", "a", "b", "c", "w"}
