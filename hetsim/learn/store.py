"""A learned model as one .npz file: networks, physical parameters, ranges, scores, provenance."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import AllowInfNan, Field

from hetsim.drafts import write_file
from hetsim.errors import ConfigError, Location, ResultsError
from hetsim.infiles import read_bytes
from hetsim.learn.archive import DAMAGES, MODEL_LIMIT, unpacked
from hetsim.learn.blend import Blend
from hetsim.learn.encoder import Encoder
from hetsim.learn.physical.arrays import ArrayBaseline, FittedArray
from hetsim.learn.physical.base import Baseline, Fitted
from hetsim.learn.physical.choose import BASELINES, FittedRoofline, RooflineBaseline
from hetsim.learn.physical.given import FittedGiven, GivenBaseline
from hetsim.learn.regressor import LearnedModel
from hetsim.records import Record, checked

SCHEMA = "hetsim.learned/1"

_META = "about"
_BLEND = "blend."
_PHYSICAL = "physical"
"""The physical model of the table's form; the others go by a name of their own."""

_OTHERS: Mapping[str, tuple[type[Fitted], type[Baseline]]] = {
    "given": (FittedGiven, GivenBaseline),
    "roofline": (FittedRoofline, RooflineBaseline),
    "array": (FittedArray, ArrayBaseline),
}


def save_model(model: LearnedModel, path: str | Path) -> None:
    """Writes ``model``; whatever stood at ``path`` is replaced."""
    encoder = model.encoder
    about = {
        "schema": SCHEMA,
        "form": model.form,
        "baseline": next(
            (name for name, (kind, _) in _OTHERS.items() if isinstance(model.physical, kind)),
            _PHYSICAL,
        ),
        "physical": dict(model.physical.parameters()),
        "features": list(encoder.names),
        "categories": {name: list(known) for name, known in encoder.categories.items()},
        "ranges": {name: list(ends) for name, ends in encoder.ranges.items()},
        "limits": list(model.limits),
        "provenance": dict(model.provenance),
    }
    arrays: dict[str, Any] = {_BLEND + name: a for name, a in model.blend.arrays().items()}
    arrays[_META] = np.array(json.dumps(about, sort_keys=True))
    content = io.BytesIO()
    np.savez_compressed(content, mean=encoder.mean, scale=encoder.scale, **arrays)
    write_file(Path(path), content.getvalue())


def load_model(path: str | Path) -> LearnedModel:
    """Reads a model that :func:`save_model` wrote.

    Raises:
        ConfigError: no such file, not such a model, or one of another version.
    """
    where = Location(str(path))
    content = read_bytes(path, limit=MODEL_LIMIT)
    try:
        arrays = unpacked(content, texts={_META})
        about = json.loads(str(arrays.pop(_META)))
        found = about.get("schema")
        if found == SCHEMA:
            return replace(_rebuild(checked(about, About, str(path)), arrays), file=str(path))
    except (*DAMAGES, ResultsError) as error:
        reason = error.message if isinstance(error, ResultsError) else str(error)
        raise ConfigError(
            f"this is not a learned model of hetsim ({type(error).__name__}: {reason})",
            where=where,
            hint="train one with: hetsim calibrate --learned",
        ) from None
    raise ConfigError(
        f"this is a {found!r}, not a {SCHEMA!r}",
        where=where,
        hint="train it again with: hetsim calibrate --learned",
    )


class About(Record):
    """What an .npz file says beside its arrays."""

    schema_: str = Field(alias="schema")
    form: str
    baseline: str
    physical: dict[str, Annotated[float, AllowInfNan(True)]]  # no bound is infinite
    features: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]
    ranges: dict[str, tuple[float, float]]
    limits: tuple[float, float]
    provenance: dict[str, str]


def _rebuild(about: About, arrays: Mapping[str, Any]) -> LearnedModel:
    name = about.baseline
    baseline = (BASELINES[about.form] if name == _PHYSICAL else _OTHERS[name][1])()
    encoder = Encoder(
        about.features, arrays["mean"], arrays["scale"], about.categories, about.ranges
    )
    blend = Blend.restore(
        {name[len(_BLEND) :]: a for name, a in arrays.items() if name.startswith(_BLEND)}
    )
    if encoder.mean.ndim != 1 or encoder.mean.shape != encoder.scale.shape:
        raise ValueError("its inputs are scaled by something else than numbers in a row")
    # Networks whose shapes do not fit each other fail here and not in a run.
    with np.errstate(all="ignore"):
        mean, spread = blend.predict(np.zeros((1, len(encoder.mean))))
    if mean.shape != (1,) or not np.isfinite([*mean, *spread]).all():
        raise ValueError("its networks do not answer with one finite number")
    return LearnedModel(
        about.form,
        baseline.restore(about.physical),
        encoder,
        blend,
        about.limits,
        about.provenance,
    )
