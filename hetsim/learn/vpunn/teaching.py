"""How a student learns from a VPUNN file.

For each operation a network of its own begins as the file's, without the inputs that the operation
never varies, the neurons it never wakes, and the least of those that are left; what these did, the
others take over by least squares. Then it is trained: relative error, Adam, cosine decay. So it is
a distillation (Hinton, Vinyals & Dean, "Distilling the Knowledge in a Neural Network", 2015) of a
pruned teacher, and knows what the teacher knows, errors included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hetsim.learn.mlp import Adam
from hetsim.learn.vpunn.model import JobModel
from hetsim.learn.vpunn.network import FullyConnected, Rows
from hetsim.learn.vpunn.samples import OPERATIONS_DRAWN, draw_jobs
from hetsim.learn.vpunn.student import Layers, Small, Student

_CLIP = 1.0
"""Relative errors beyond this pull no harder."""


@dataclass(frozen=True)
class Lesson:
    """How a student is trained; ``keep``: the share of awake neurons that stay in each layer."""

    keep: float = 0.85
    jobs: int = 200_000
    epochs: int = 25
    batch: int = 1024
    rate: float = 5e-4


def teach(
    teacher: JobModel, *, seed: int = 0, lesson: Lesson | None = None,
    operations: Sequence[int] = OPERATIONS_DRAWN,
) -> Student:  # fmt: skip
    """A student of ``teacher``; the same seed makes the same one."""
    given = lesson or Lesson()
    networks = {
        operation: _taught(teacher, operation, given, np.random.default_rng([seed, operation]))
        for operation in operations
    }
    return Student(teacher.file.name, teacher.file.descriptor, networks)


def _taught(teacher: JobModel, operation: int, lesson: Lesson, rng: np.random.Generator) -> Small:
    jobs = draw_jobs(operation, lesson.jobs, rng)
    rows, target = teacher.descriptor.rows(jobs), teacher.cycles(jobs)
    used = np.flatnonzero(rows.std(axis=0) > 0)
    row = rows[0].copy()
    inputs = rows[:, used]
    mean, scale = inputs.mean(axis=0), inputs.std(axis=0)
    scaled = ((inputs - mean) / scale).astype(np.float32)
    layers = _pruned(teacher, row, used, mean, scale, scaled[:8192], lesson.keep)
    _train(layers, scaled, target.astype(np.float32), lesson, rng)
    weight, bias = layers[0]
    plain = (weight / scale[:, None]).astype(np.float32)
    layers[0] = plain, (bias - mean @ plain).astype(np.float32)
    return Small(used, row, inputs.min(axis=0), inputs.max(axis=0), layers)


def _pruned(
    teacher: JobModel, row: Rows, used: NDArray[np.int64], mean: Rows, scale: Rows, seen: Rows,
    keep: float,
) -> Layers:  # fmt: skip
    """The teacher's layers for scaled ``used`` inputs, without what hardly matters for ``seen``."""
    whole = []
    for layer, _ in teacher.file.network.layers:
        if not isinstance(layer, FullyConnected):
            raise teacher.file.error(f"a student needs a teacher of fully connected layers, not"
                                     f" {layer.title}")  # fmt: skip
        whole.append((layer.weights, layer.bias))
    fixed = row.copy()
    fixed[used] = mean
    weight, bias = whole[0]
    weight, bias = weight[used] * scale[:, None], bias + fixed @ weight
    made: Layers = []
    signal = seen
    for following, its_bias in whole[1:]:
        signal = np.maximum(signal @ weight + bias, 0.0)
        worth = signal.std(axis=0) * np.linalg.norm(following, axis=1)
        awake = np.flatnonzero(signal.max(axis=0) > 0)
        count = max(1, round(keep * len(awake)))
        kept = np.sort(awake[np.argsort(-worth[awake], kind="stable")[:count]])
        made.append((weight[:, kept].copy(), bias[kept].copy()))
        lost = np.setdiff1d(awake, kept)
        weight, bias = following[kept].copy(), its_bias.copy()
        if len(lost):
            known = np.column_stack([signal[:, kept], np.ones(len(signal))]).astype(np.float64)
            told, *_ = np.linalg.lstsq(known, signal[:, lost] @ following[lost], rcond=1e-6)
            weight, bias = weight + told[:-1].astype(np.float32), bias + told[-1].astype(np.float32)
        signal = signal[:, kept]
    made.append((weight, bias))
    return [(w.astype(np.float32), b.astype(np.float32)) for w, b in made]


def _train(
    layers: Layers, inputs: Rows, target: Rows, lesson: Lesson, rng: np.random.Generator
) -> None:
    """Trains ``layers`` in place to the smallest squared relative error."""
    adam, step = Adam(layers), 0
    batches = len(target) // lesson.batch
    for _ in range(lesson.epochs if batches else 0):
        order = rng.permutation(len(target))
        for begin in range(0, batches * lesson.batch, lesson.batch):
            rows = order[begin : begin + lesson.batch]
            rate = 0.5 * lesson.rate * (1 + np.cos(np.pi * step / (lesson.epochs * batches)))
            adam.step(layers, _gradients(layers, inputs[rows], target[rows]), rate)
            step += 1


def _gradients(layers: Layers, inputs: Rows, target: Rows) -> Layers:
    signals = [inputs]
    for weight, bias in layers[:-1]:
        signals.append(np.maximum(signals[-1] @ weight + bias, np.float32(0.0)))
    weight, bias = layers[-1]
    off = np.clip(((signals[-1] @ weight + bias)[:, 0] - target) / target, -_CLIP, _CLIP)
    back = (np.float32(2.0 / len(target)) * off / target)[:, None]
    gradients: Layers = []
    for position in range(len(layers) - 1, -1, -1):
        gradients.append((signals[position].T @ back, back.sum(axis=0)))
        if position:
            back = (back @ layers[position][0].T) * (signals[position] > 0)
    return gradients[::-1]
