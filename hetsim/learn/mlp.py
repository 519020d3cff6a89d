"""A multi-layer perceptron in numpy: ReLU layers, Adam with cosine decay, early stopping.

The network is a list of weight matrices and biases. Training minimises the mean squared error of
one output; VPUNN's networks (arXiv 2205.04586) are of the same kind and size.
Adam: Kingma & Ba (ICLR 2015). Cosine decay: Loshchilov & Hutter (ICLR 2017). Initial weights: He
et al. (ICCV 2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hetsim.numeric import AnyFloats, Bools, Floats

Layers = list[tuple[Floats, Floats]]
"""Weight matrix (inputs, outputs) and bias of each layer."""

AnyLayers = Sequence[tuple[AnyFloats, AnyFloats]]
"""The same in any precision."""

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8


@dataclass(frozen=True)
class TrainingOptions:
    """How a network is trained. The defaults were fixed before any error was looked at.

    ``steps`` bounds the optimiser steps whatever the number of rows; ``decay`` is the weight of
    the squared parameters in the loss.
    """

    hidden: tuple[int, ...] = (64, 64)
    epochs: int = 600
    steps: int = 8000
    batch: int = 32
    rate: float = 3e-3
    decay: float = 1e-4
    check_every: int = 5


def initial_layers(inputs: int, hidden: Sequence[int], rng: np.random.Generator) -> Layers:
    """Random layers; the last one small, so that the network starts near zero."""
    sizes = [inputs, *hidden, 1]
    layers = [(rng.normal(0.0, np.sqrt(2.0 / a), (a, b)), np.zeros(b)) for a, b in pairwise(sizes)]
    layers[-1] = (layers[-1][0] * 0.1, layers[-1][1])
    return layers


def forward(layers: AnyLayers, inputs: AnyFloats) -> AnyFloats:
    """Outputs, shape (rows,), of inputs of shape (rows, features), in the layers' precision."""
    signal = inputs
    for weight, bias in layers[:-1]:
        signal = signal @ weight
        signal += bias
        np.maximum(signal, 0.0, out=signal)
    weight, bias = layers[-1]
    return (signal @ weight + bias)[:, 0]


def loss_and_gradients(
    layers: Layers, inputs: Floats, target: Floats, decay: float
) -> tuple[float, Layers]:
    """Mean squared error plus ``decay`` / 2 times the squared weights, and its gradients."""
    signals = [inputs]
    for weight, bias in layers[:-1]:
        signals.append(np.maximum(signals[-1] @ weight + bias, 0.0))
    weight, bias = layers[-1]
    error = (signals[-1] @ weight + bias)[:, 0] - target
    loss = float(error @ error) / len(target)
    loss += 0.5 * decay * sum(float((w * w).sum()) for w, _ in layers)
    gradients: Layers = []
    back = (2.0 / len(target) * error)[:, None]
    for position in range(len(layers) - 1, -1, -1):
        weight = layers[position][0]
        gradients.append((signals[position].T @ back + decay * weight, back.sum(axis=0)))
        if position:
            back = (back @ weight.T) * (signals[position] > 0)
    return loss, gradients[::-1]


class Adam:
    """The optimiser's moments; :meth:`step` updates the layers in place."""

    def __init__(self, layers: AnyLayers) -> None:
        self.first = [np.zeros_like(p) for layer in layers for p in layer]
        self.second = [np.zeros_like(p) for layer in layers for p in layer]
        self.count = 0

    def step(self, layers: AnyLayers, gradients: AnyLayers, rate: float) -> None:
        self.count += 1
        scale = rate * np.sqrt(1 - _BETA2**self.count) / (1 - _BETA1**self.count)
        flat = zip(
            (p for layer in layers for p in layer),
            (g for layer in gradients for g in layer),
            self.first,
            self.second,
            strict=True,
        )
        for parameter, gradient, first, second in flat:
            first += (1 - _BETA1) * (gradient - first)
            second += (1 - _BETA2) * (gradient * gradient - second)
            parameter -= scale * first / (np.sqrt(second) + _EPSILON)


def train(
    inputs: Floats,
    target: Floats,
    validation: Bools,
    options: TrainingOptions,
    rng: np.random.Generator,
) -> Layers:
    """Trains a network on the rows outside ``validation``.

    Keeps the parameters that were best on the rows inside it; without such rows, the last ones.
    """
    layers = initial_layers(inputs.shape[1], options.hidden, rng)
    rows = np.flatnonzero(~validation)
    batch = max(options.batch, len(rows) // 64)
    per_epoch = -(-len(rows) // batch)
    epochs = max(1, min(options.epochs, options.steps // per_epoch))
    total = epochs * per_epoch
    held_in, held_target = inputs[validation], target[validation]
    best: tuple[float, Layers] | None = None
    adam, step = Adam(layers), 0
    for epoch in range(epochs):
        order = rng.permutation(rows)
        for begin in range(0, len(order), batch):
            chosen = order[begin : begin + batch]
            _, gradients = loss_and_gradients(layers, inputs[chosen], target[chosen], options.decay)
            rate = 0.5 * options.rate * (1 + np.cos(np.pi * step / total))
            adam.step(layers, gradients, rate)
            step += 1
        last = epoch == epochs - 1
        if len(held_target) and (last or epoch % options.check_every == options.check_every - 1):
            error = forward(layers, held_in) - held_target
            score = float(error @ error)
            if best is None or score < best[0]:
                best = score, [(w.copy(), b.copy()) for w, b in layers]
    return best[1] if best is not None else layers
