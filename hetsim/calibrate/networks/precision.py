"""What a precision's name means: what the unit stores and computes in."""

from __future__ import annotations

from dataclasses import dataclass

UNKNOWN, MIXED = "unknown", "mixed"


@dataclass(frozen=True)
class Precision:
    """``group`` is what is reported apart: float, w8a8, w8a16, mixed or unknown.

    ``weights`` and ``activations`` are data types; of a mixed network those of most operators.
    """

    group: str
    weights: str = ""
    activations: str = ""


_FLOAT = Precision("float", "float16", "float16")
_W8A8, _W8A16 = Precision("w8a8", "int8", "int8"), Precision("w8a16", "int8", "int16")

PRECISIONS = {
    "float": _FLOAT, "float16": _FLOAT, "fp16": _FLOAT, "f16": _FLOAT,
    "float32": Precision("float", "float32", "float32"),
    "fp32": Precision("float", "float32", "float32"),
    "f32": Precision("float", "float32", "float32"),
    "w8a8": _W8A8, "int8": _W8A8, "w8a16": _W8A16,
}  # fmt: skip
"""Names of precisions. ``float`` is float16: mobile NPUs have no wider arithmetic, and runtimes
relax float32 networks to it there."""


def precision_of(name: str, unit: str = "npu") -> Precision:
    """The precision of a name; on a CPU ``float`` is float32, as runtimes compute there.

    A name with ``mixed`` in it has some operators in another precision, and no source says which.
    """
    lower = name.strip().lower()
    if lower == "float" and unit == "cpu":
        return PRECISIONS["float32"]
    if lower in PRECISIONS:
        return PRECISIONS[lower]
    if MIXED in lower:
        most = PRECISIONS.get(lower.partition("_")[0], Precision(MIXED))
        return Precision(MIXED, most.weights, most.activations)
    return Precision(UNKNOWN)
