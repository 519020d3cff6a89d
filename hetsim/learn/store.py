"""A learned model as one .npz file: networks, physical parameters, ranges, scores, provenance."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hetsim.drafts import write_file
from hetsim.errors import ConfigError, Location
from hetsim.learn.blend import Blend
from hetsim.learn.encoder import Encoder
from hetsim.learn.physical.arrays import ArrayBaseline, FittedArray
from hetsim.learn.physical.base import Baseline, Fitted
from hetsim.learn.physical.choose import BASELINES, FittedRoofline, RooflineBaseline
from hetsim.learn.physical.given import FittedGiven, GivenBaseline
from hetsim.learn.regressor import LearnedModel

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
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        about = json.loads(str(arrays[_META]))
        if about["schema"] != SCHEMA:
            raise ConfigError(
                f"this is a {about['schema']!r}, not a {SCHEMA!r}",
                where=where,
                hint="train it again with: hetsim calibrate --learned",
            )
        return _rebuild(about, arrays)
    except FileNotFoundError:
        raise ConfigError("there is no such file", where=where) from None
    except (KeyError, TypeError, ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise ConfigError(
            f"this is not a learned model of hetsim ({type(error).__name__}: {error})",
            where=where,
            hint="train one with: hetsim calibrate --learned",
        ) from None


def _rebuild(about: dict[str, Any], arrays: Mapping[str, Any]) -> LearnedModel:
    name = about["baseline"]
    kind = BASELINES[about["form"]] if name == _PHYSICAL else _OTHERS[name][1]
    baseline = kind()
    encoder = Encoder(
        tuple(about["features"]),
        arrays["mean"],
        arrays["scale"],
        {name: tuple(known) for name, known in about["categories"].items()},
        {name: (float(low), float(high)) for name, (low, high) in about["ranges"].items()},
    )
    blend = Blend.restore(
        {name[len(_BLEND) :]: a for name, a in arrays.items() if name.startswith(_BLEND)}
    )
    low, high = about["limits"]
    return LearnedModel(
        about["form"],
        baseline.restore(about["physical"]),
        encoder,
        blend,
        (float(low), float(high)),
        about["provenance"],
    )
