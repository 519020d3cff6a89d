"""The regressor: an ensemble of networks, blended half and half with a Gaussian process.

On tables of a few hundred rows the process is as good as five networks and errs differently, so
their mean is better than either; on large tables only the networks are used. The share was fixed
beforehand, not fitted. Spread is the deviation of the members' opinions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hetsim.learn.gaussian import MOST_ROWS, GaussianProcess
from hetsim.learn.mlp import Layers, TrainingOptions, forward, train
from hetsim.numeric import Bools, Floats, Texts

MEMBERS = 5
"""Networks in the ensemble."""

VALIDATION_SHARE = 0.15
"""Share of families (or rows) each network keeps aside to stop early."""

_CHUNK = 2048
"""Rows predicted at a time: a layer's signals stay in the cache."""

FEWEST_ROWS = 16
"""Tables smaller than this teach nothing beyond the physical model: the correction is zero."""


@dataclass(frozen=True)
class Blend:
    """A trained regressor of a standardised target: ``centre`` and ``scale`` undo that."""

    networks: tuple[Layers, ...]
    process: GaussianProcess | None
    centre: float
    scale: float

    @classmethod
    def fit(
        cls,
        inputs: Floats,
        target: Floats,
        families: Texts,
        *,
        seed: int,
        options: TrainingOptions | None = None,
        members: int = MEMBERS,
    ) -> Blend:
        """Trains on ``inputs`` (rows, features); early stopping keeps whole ``families`` aside."""
        if len(target) < FEWEST_ROWS:
            return cls((), None, 0.0, 0.0)
        centre, scale = float(target.mean()), float(target.std())
        if scale < 1e-9:
            return cls((), None, centre, 0.0)
        scaled = (target - centre) / scale
        networks = []
        for member in range(members):
            rng = np.random.default_rng([seed, member])
            held = _validation_rows(families, rng)
            networks.append(train(inputs, scaled, held, options or TrainingOptions(), rng))
        process = GaussianProcess.fit(inputs, scaled) if len(target) <= MOST_ROWS else None
        return cls(tuple(networks), process, centre, scale)

    def predict(self, inputs: Floats) -> tuple[Floats, Floats]:
        """Mean and spread of the target for rows of inputs."""
        if not self.networks:
            constant = np.full(len(inputs), self.centre)
            return constant, np.zeros(len(inputs))
        opinions = np.empty((len(self.networks), len(inputs)))
        narrow = self._narrow()
        for begin in range(0, len(inputs), _CHUNK):
            rows = inputs[begin : begin + _CHUNK].astype(np.float32)
            for member, layers in enumerate(narrow):
                opinions[member, begin : begin + _CHUNK] = forward(layers, rows)
        mean, spread = opinions.mean(axis=0), opinions.var(axis=0)
        if self.process is not None:
            other = self.process.predict(inputs)
            spread = spread + 0.25 * (other - mean) ** 2
            mean = 0.5 * (mean + other)
        return self.centre + self.scale * mean, self.scale * np.sqrt(spread)

    def _narrow(self) -> list[list[tuple[NDArray[np.float32], NDArray[np.float32]]]]:
        return [
            [(w.astype(np.float32), b.astype(np.float32)) for w, b in layers]
            for layers in self.networks
        ]

    def arrays(self) -> dict[str, Floats]:
        """Everything, as named arrays; :meth:`restore` is the inverse."""
        named = {"centre": np.array(self.centre), "scale": np.array(self.scale)}
        for i, layers in enumerate(self.networks):
            for j, (weight, bias) in enumerate(layers):
                named[f"network{i}.layer{j}.weight"] = weight
                named[f"network{i}.layer{j}.bias"] = bias
        if self.process is not None:
            named["process.inputs"] = self.process.inputs
            named["process.weights"] = self.process.weights
            named["process.hyper"] = self.process.hyper
        return named

    @classmethod
    def restore(cls, named: Mapping[str, Floats]) -> Blend:
        """The regressor whose :meth:`arrays` are ``named``; ``KeyError`` when one is missing."""
        networks: list[Layers] = []
        while f"network{len(networks)}.layer0.weight" in named:
            layers: Layers = []
            prefix = f"network{len(networks)}"
            while f"{prefix}.layer{len(layers)}.weight" in named:
                layer = f"{prefix}.layer{len(layers)}"
                layers.append((named[f"{layer}.weight"], named[f"{layer}.bias"]))
            networks.append(layers)
        process = None
        if "process.inputs" in named:
            process = GaussianProcess(
                named["process.inputs"], named["process.weights"], named["process.hyper"]
            )
        return cls(tuple(networks), process, float(named["centre"]), float(named["scale"]))


def _validation_rows(families: Texts, rng: np.random.Generator) -> Bools:
    """About :data:`VALIDATION_SHARE` of the rows, in whole families where there are several."""
    names, member = np.unique(families, return_inverse=True)
    if len(names) < 4:
        # Too few families to give one away.
        return np.asarray(rng.random(len(families)) < VALIDATION_SHARE)
    held = np.zeros(len(families), dtype=bool)
    for family in rng.permutation(len(names)):
        rows = member == family
        if held.sum() + rows.sum() <= 2 * VALIDATION_SHARE * len(families):
            held |= rows
        if held.sum() >= VALIDATION_SHARE * len(families):
            break
    return held
