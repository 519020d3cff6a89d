from __future__ import annotations

import numpy as np
import pytest

from hetsim.learn.blend import Blend
from hetsim.learn.encoder import Descriptors, Encoder
from hetsim.learn.gaussian import GaussianProcess
from hetsim.learn.mlp import (
    TrainingOptions,
    forward,
    initial_layers,
    loss_and_gradients,
    train,
)


@pytest.mark.parametrize("hidden", [(5,), (7, 4), (6, 5, 4)])
def test_gradients_agree_with_finite_differences(hidden: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    layers = initial_layers(3, hidden, rng)
    layers = [(w + 0.1, b + rng.normal(0, 0.3, b.shape)) for w, b in layers]
    inputs, target = rng.normal(size=(20, 3)), rng.normal(size=20)
    _, gradients = loss_and_gradients(layers, inputs, target, 0.01)
    step = 1e-6
    for position, layer in enumerate(layers):
        for part, parameter in enumerate(layer):
            # Biases are not decayed.
            for index in np.ndindex(parameter.shape):
                kept = parameter[index]
                parameter[index] = kept + step
                above, _ = loss_and_gradients(layers, inputs, target, 0.01)
                parameter[index] = kept - step
                below, _ = loss_and_gradients(layers, inputs, target, 0.01)
                parameter[index] = kept
                slope = (above - below) / (2 * step)
                assert gradients[position][part][index] == pytest.approx(slope, abs=1e-6)


@pytest.mark.slow
def test_training_learns_a_curve_and_is_deterministic() -> None:
    rng = np.random.default_rng(0)
    inputs = rng.uniform(-2, 2, size=(200, 2))
    target = np.abs(inputs[:, 0]) - 0.5 * inputs[:, 1]
    options = TrainingOptions(hidden=(32, 32), epochs=150)
    held = np.arange(200) % 7 == 0
    first, second = (
        train(inputs, target, held, options, np.random.default_rng(3)) for _ in range(2)
    )
    assert np.abs(forward(first, inputs) - target).mean() < 0.05
    assert all((a[0] == b[0]).all() for a, b in zip(first, second, strict=True))


def test_gaussian_process_interpolates_and_returns_to_nothing_far_away() -> None:
    inputs = np.linspace(-3, 3, 40)[:, None]
    target = np.sin(2 * inputs[:, 0])
    process = GaussianProcess.fit(inputs, target)
    between = np.linspace(-2.9, 2.9, 57)[:, None]
    assert np.abs(process.predict(between) - np.sin(2 * between[:, 0])).max() < 0.05


def _descriptors(sizes: list[float], labels: list[str]) -> Descriptors:
    return Descriptors(
        {"size": np.log(sizes), "constant": np.ones(len(sizes))},
        {"kind": np.array(labels)},
        ("size", "constant"),
    )


def test_the_encoder_knows_its_range_and_its_labels() -> None:
    encoder = Encoder.learn(_descriptors([10, 100, 20], ["a", "b", "a"]))
    assert encoder.names == ("size",)
    other = _descriptors([50, 1000, 50, 8], ["a", "b", "c", "b"])
    assert encoder.inside(other).tolist() == [True, False, False, True]
    assert encoder.outside(other, 0) == ""
    assert "size 1000 is outside 10 to 100" in encoder.outside(other, 1)
    assert "kind c was never measured" in encoder.outside(other, 2)


def test_tiny_tables_teach_nothing() -> None:
    blend = Blend.fit(np.zeros((5, 2)), np.ones(5), np.array(list("abcde")), seed=0)
    mean, spread = blend.predict(np.zeros((3, 2)))
    assert mean.tolist() == [0, 0, 0]
    assert spread.tolist() == [0, 0, 0]
