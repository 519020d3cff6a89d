"""The network of a VPUNN file and its forward pass, for many rows at once.

Its layers are registered by the number that files give their kind; all arithmetic is of 32-bit
floats, as in the library that the files are made for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]
"""One workload a row."""

_TINY = np.float32(1e-12)
"""Added to distances before they divide."""

BATCH = 4096
"""Rows that run at once, so that what is between layers stays in a cache."""


class Layer(ABC):
    """One layer: ``inputs`` numbers a row become ``width``."""

    title: ClassVar[str]
    width: int

    @classmethod
    @abstractmethod
    def of(cls, constants: Sequence[Rows], inputs: int, width: int, neighbours: int) -> Layer:
        """Of what a file holds for it: flat ``constants`` in order, and its option.

        Raises:
            ValueError: they do not fit each other.
        """

    @abstractmethod
    def run(self, rows: Rows) -> Rows:
        """(rows, inputs) to (rows, width)."""


@dataclass(frozen=True, eq=False)
class FullyConnected(Layer):
    """Every output a weighted sum of all inputs. ``weights``: (inputs, width)."""

    title: ClassVar[str] = "fully connected"
    weights: Rows
    bias: Rows
    width: int

    @classmethod
    def of(
        cls, constants: Sequence[Rows], inputs: int, width: int, neighbours: int
    ) -> FullyConnected:
        if not 1 <= len(constants) <= 2:
            raise ValueError(f"a fully connected layer has {len(constants)} constants, not 1 or 2")
        weights = constants[0]
        if weights.size != inputs * width:
            raise ValueError(f"{weights.size} weights do not lead from {inputs} to {width} numbers")
        bias = constants[1] if len(constants) == 2 else np.zeros(width, np.float32)
        if bias.size != width:
            raise ValueError(f"{bias.size} biases do not fit {width} numbers")
        # A file holds the weights of one output after those of another.
        return cls(np.ascontiguousarray(weights.reshape(width, inputs).T), bias, width)

    def run(self, rows: Rows) -> Rows:
        out: Rows = rows @ self.weights
        out += self.bias
        return out


@dataclass(frozen=True, eq=False)
class L2Normalisation(Layer):
    """Rows scaled to length one; a row of zeros stays."""

    title: ClassVar[str] = "L2 normalisation"
    width: int

    @classmethod
    def of(
        cls, constants: Sequence[Rows], inputs: int, width: int, neighbours: int
    ) -> L2Normalisation:
        if constants or inputs != width:
            raise ValueError("an L2 normalisation has no constants and changes no size")
        return cls(width)

    def run(self, rows: Rows) -> Rows:
        length = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
        length[length == 0] = 1.0
        out: Rows = rows / length
        return out


@dataclass(frozen=True, eq=False)
class NearestNeighbours(Layer):
    """The mean target of the nearest known rows, weighted by one over cosine distance.

    ``items``: (embedding, items) of length one; ``targets``: one a item.
    """

    title: ClassVar[str] = "k nearest neighbours"
    items: Rows
    targets: Rows
    neighbours: int
    width: int = 1

    @classmethod
    def of(
        cls, constants: Sequence[Rows], inputs: int, width: int, neighbours: int
    ) -> NearestNeighbours:
        if len(constants) != 2 or constants[0].size != inputs * constants[1].size or width < 1:
            raise ValueError("k nearest neighbours need one target for each known row")
        items, targets = constants
        if not 1 <= neighbours <= targets.size:
            raise ValueError(f"{neighbours} neighbours of {targets.size} known rows")
        known = np.ascontiguousarray(items.reshape(targets.size, inputs).T)
        return cls(known, targets, neighbours)

    def run(self, rows: Rows) -> Rows:
        distance = np.float32(1.0) - rows @ self.items
        near = np.argsort(distance, axis=1, kind="stable")[:, : self.neighbours]
        weight = np.float32(1.0) / (np.take_along_axis(distance, near, axis=1) + _TINY)
        total = weight.sum(axis=1, keepdims=True)
        out: Rows = (self.targets[near] * weight).sum(axis=1, keepdims=True) / total
        return out


LAYERS: Mapping[int, type[Layer]] = {1: FullyConnected, 2: L2Normalisation, 3: NearestNeighbours}
"""By the number of the kind in a file."""

Activation = Callable[[Rows], Rows]


def _none(rows: Rows) -> Rows:
    return rows


def _relu(rows: Rows) -> Rows:
    return np.maximum(rows, np.float32(0.0), out=rows)


def _sigmoid(rows: Rows) -> Rows:
    out: Rows = np.float32(1.0) / (np.float32(1.0) + np.exp(-rows))
    return out


ACTIVATIONS: Mapping[int, Activation] = {0: _none, 1: _relu, 2: _sigmoid}
"""By the number in a file: none, ReLU, sigmoid."""


@dataclass(frozen=True, eq=False)
class Network:
    """Layers, each with what follows it; ``inputs`` numbers a row become one."""

    inputs: int
    layers: tuple[tuple[Layer, Activation], ...]

    def predict(self, rows: Rows) -> NDArray[np.float64]:
        """One number a row of (rows, inputs); absurd weights give no finite one."""
        parts = [self._run(rows[i : i + BATCH]) for i in range(0, len(rows), BATCH)]
        return np.concatenate(parts).astype(np.float64) if parts else np.zeros(0)

    def _run(self, rows: Rows) -> Rows:
        with np.errstate(over="ignore", invalid="ignore"):
            for layer, activation in self.layers:
                rows = activation(layer.run(rows))
        return rows[:, 0]
