"""The learned model of one device: physical model times a learned correction, within its range."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from hetsim.learn.blend import Blend
from hetsim.learn.descriptors import describe
from hetsim.learn.encoder import Descriptors, Encoder
from hetsim.learn.mlp import TrainingOptions
from hetsim.learn.physical.base import Baseline, Fitted
from hetsim.learn.physical.choose import baseline_for
from hetsim.learn.tables.table import Measurements
from hetsim.numeric import Bools, Floats

LARGEST_CORRECTION = 3.0
"""No correction exceeds this many factors of e beyond the most extreme seen in training."""


@dataclass(frozen=True)
class Prediction:
    """Predictions in the table's unit.

    ``valid`` rows lie within the training range; for the others ``value`` is the physical model's.
    ``spread`` is the deviation of the ensemble's opinions, as a share of the value.
    """

    value: Floats
    valid: Bools
    spread: Floats
    physical: Floats


@dataclass(frozen=True)
class LearnedModel:
    """A physical model and the correction learned on top, log(measured / physical).

    ``provenance`` is free text by name: device, source file, data hash, seed, scores. ``file`` is
    where it was read, for messages.
    """

    form: str
    physical: Fitted
    encoder: Encoder
    blend: Blend
    limits: tuple[float, float]
    provenance: Mapping[str, str] = field(default_factory=dict)
    file: str = field(default="", compare=False)

    @classmethod
    def fit(
        cls,
        table: Measurements,
        *,
        seed: int = 0,
        baseline: Baseline | None = None,
        options: TrainingOptions | None = None,
    ) -> LearnedModel:
        """Fits the physical model, then its correction, to the rows of one device.

        ``baseline`` defaults to the physical model of the table's form. Deterministic for a seed.
        """
        physical = (baseline or baseline_for(table)).fit(table)
        predicted = physical.predict(table)
        descriptors = with_physical(describe(table), predicted)
        encoder = Encoder.learn(descriptors)
        target = np.log(table.target / predicted)
        families = np.asarray(table.families, dtype=np.str_)
        blend = Blend.fit(
            encoder.transform(descriptors), target, families, seed=seed, options=options
        )
        limits = (
            float(target.min()) - LARGEST_CORRECTION,
            float(target.max()) + LARGEST_CORRECTION,
        )
        provenance = {
            "device": ", ".join(table.devices),
            "source": table.file,
            "rows": str(len(table)),
            "data sha256": data_hash(table),
            "seed": str(seed),
        }
        return cls(table.form, physical, encoder, blend, limits, provenance)

    def predict(self, table: Measurements) -> Prediction:
        """Predicts every row of ``table`` (same form) at once."""
        physical = self.physical.predict(table)
        return self.correct(describe(table), physical, self.physical.floor(table))

    def correct(self, rows: Descriptors, physical: Floats, floor: Floats) -> Prediction:
        """Applies the correction to physical predictions; never below ``floor``."""
        rows = with_physical(rows, physical)
        valid = self.encoder.inside(rows)
        mean, spread = self.blend.predict(self.encoder.transform(rows))
        corrected = np.maximum(physical * np.exp(np.clip(mean, *self.limits)), floor)
        return Prediction(
            np.where(valid, corrected, physical), valid, np.where(valid, spread, 0.0), physical
        )

    def why_invalid(self, table: Measurements, row: int) -> str:
        """Why row ``row`` is outside the range; empty when it is inside."""
        rows = describe(table)
        return self.encoder.outside(rows, row)

    def noting(self, **facts: str) -> LearnedModel:
        """The same model with more provenance."""
        return replace(self, provenance={**self.provenance, **facts})


def with_physical(rows: Descriptors, physical: Floats) -> Descriptors:
    """Adds what the physical model thinks, per unit of the row's size, to the descriptors."""
    size = rows.numbers.get("macs", rows.numbers.get("bytes"))
    assert size is not None
    numbers = {
        **rows.numbers,
        "physical": np.log(physical),
        "physical per unit": np.log(physical) - size,
    }
    return Descriptors(numbers, rows.labels, rows.ranged)


def data_hash(table: Measurements) -> str:
    """SHA-256 of the rows, independent of their order and of the file's layout."""
    lines = [
        "|".join([*(f"{name}={table[name][i]}" for name in sorted(table.columns)), f"{t!r}"])
        for i, t in enumerate(table.target.tolist())
    ]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
