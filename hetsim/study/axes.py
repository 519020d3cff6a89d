"""What a study varies: ``npu.sram=128KiB..4MiB:log2``, ``bus.bandwidth=3.2,6.4,12.8GB/s``.

An axis is a path and its values. Values are written as a list (a unit on the last item holds for
all that have none) or as a range ``LOW..HIGH``, with an optional scale and number of values::

    128KiB..4MiB:log2      doubling from the low end while it does not pass the high end
    1us..1ms:log10         decades, likewise
    1..8                   whole numbers one by one; other quantities five values evenly spaced
    0.5x..4x:log2          multiples of what the file says
    1GB/s..9GB/s:linear:3  that many values, both ends included; log2 and log10 alike

Values stay texts with their units, exactly as ``--set`` would take them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hetsim.errors import ConfigError, HetsimError, Location
from hetsim.scenario.loader import Scenario
from hetsim.scenario.variants import varied
from hetsim.units import UNITS
from hetsim.yamlio import parse_value

SCALES = ("log2", "log10", "linear")
DEFAULT_COUNT = 5
"""Values of a range of quantities that says neither a logarithmic scale nor how many."""

MAX_VALUES = 10_000
"""Values of one axis; more are a typing mistake."""

_RANGE = re.compile(r"(?P<low>.+?)\s*\.\.\s*(?P<high>[^:]+)(?P<rest>(?::[^:]*)*)")
_NUMBER = re.compile(r"\s*([-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*", re.DOTALL)


@dataclass(frozen=True)
class Interval:
    """The bounds of a range, for samplers that take values between: in units of ``unit``."""

    low: float
    high: float
    unit: str
    log: bool
    whole: bool
    smaller: tuple[tuple[str, float], ...] = ()

    def at(self, share: float) -> object:
        """The value at ``share`` (0 to 1) of the way from the low to the high end."""
        if self.log:
            value = self.low * (self.high / self.low) ** share
        else:
            value = self.low + (self.high - self.low) * share
        if self.whole:
            return min(int(self.high), max(int(self.low), round(value)))
        return self.near(value)

    def near(self, value: float) -> object:
        """``value`` to four digits: what lies between steps need not be more exact."""
        return self.spell(min(self.high, max(self.low, float(f"{value:.4g}"))))

    def spell(self, value: float) -> object:
        """``value`` as ``--set`` takes it, in the unit in which it is written shortest."""
        if self.whole and float(value).is_integer():
            return int(value)
        if not self.unit:
            return float(f"{value:.12g}")
        texts = [f"{_digits(value)} {self.unit}" if self.unit != "x" else f"{_digits(value)}x"]
        texts += [f"{_digits(value / f)} {u}" for u, f in self.smaller if value >= f]
        return min(texts, key=len)


@dataclass(frozen=True)
class Axis:
    """A path and what it is set to; ``interval`` when it was written as a range.

    ``stepped`` tells that only ``values`` are meant, not what lies between them.
    """

    path: str
    values: tuple[object, ...]
    interval: Interval | None = None
    stepped: bool = True

    def at(self, share: float) -> object:
        """The value at ``share`` (0 to below 1) of the way along the axis."""
        if self.interval is not None and not self.stepped:
            return self.interval.at(share)
        return self.values[min(len(self.values) - 1, int(share * len(self.values)))]


def parse_axis(text: str, asked_by: str = "--vary") -> Axis:
    """Reads ``PATH=VALUES``.

    Raises:
        ConfigError: no ``=``, a range that is empty or mixes dimensions, no value at all.
    """
    path, equals, values = text.partition("=")
    if not equals or not path.strip():
        raise ConfigError(
            f"{text!r} varies nothing",
            where=Location(asked_by),
            hint="write it like npu.sram=128KiB..4MiB:log2 or bus.clock=80,160MHz",
        )
    return axis_of(path.strip(), values.strip(), Location(f"{asked_by} {path.strip()}"))


def axis_of(path: str, given: object, where: Location) -> Axis:
    """The axis of ``path``; ``given`` is the text of a range or list, or a list of plain values.

    Raises:
        ConfigError: see :func:`parse_axis`.
    """
    if isinstance(given, str):
        match = _RANGE.fullmatch(given)
        if match:
            return _range(path, given, match, where)
        given = _with_unit([item for item in split_list(given) if item], where)
    values = tuple(given) if isinstance(given, Iterable) else (given,)
    if not values:
        raise ConfigError(f"{path} is given no value", where=where, hint="write a list or a range")
    shown = [repr(value) for value in values]
    repeated = next((text for i, text in enumerate(shown) if text in shown[:i]), None)
    if repeated is not None:
        raise ConfigError(f"{path} is given {repeated} twice", where=where)
    return Axis(path, values)


def asked_axes(scenario: Scenario, vary: Sequence[str], section: str) -> tuple[Axis, ...]:
    """The axes of ``--vary``, or those of the scenario's ``section`` when there are none.

    Raises:
        ConfigError: neither says what to vary, or says it wrongly.
    """
    if vary:
        return distinct(parse_axis(text) for text in vary)
    table: Mapping[str, object] | None = scenario.document.get((section, "vary"))
    if not table:
        raise ConfigError(
            f"nothing to vary: {scenario.name} has no {section!r} section",
            where=Location("--vary"),
            hint="say what to vary: --vary npu.sram=128KiB..4MiB:log2",
        )
    return tuple(
        axis_of(path, given, scenario.where((section, "vary", path)))
        for path, given in table.items()
    )


def check_axes(scenario: Scenario, axes: Sequence[Axis]) -> None:
    """Finds out before a study whether its axes lead anywhere.

    Raises:
        ConfigError: a path that exists on no value of its axis; the first value's reason.
    """
    for axis in axes:
        faults: list[HetsimError] = []
        for value in axis.values:
            try:
                varied(scenario, {axis.path: value}, "--vary")
                break
            except ConfigError as error:
                faults.append(error)
        else:
            fault = faults[0]
            more = f" (and so for all {len(faults)} values)" if len(faults) > 1 else ""
            raise ConfigError(
                fault.message + more, where=fault.where or Location("--vary"), hint=fault.hint
            )


def distinct(axes: Iterable[Axis]) -> tuple[Axis, ...]:
    """``axes``, checked.

    Raises:
        ConfigError: a path that stands twice.
    """
    found: dict[str, Axis] = {}
    for axis in axes:
        if axis.path in found:
            raise ConfigError(f"{axis.path!r} is varied twice", where=Location("--vary"))
        found[axis.path] = axis
    return tuple(found.values())


def split_list(text: str) -> list[str]:
    """``text`` split at the commas that stand in no bracket."""
    items, depth = [""], 0
    for character in text:
        depth += (character in "[{") - (character in "]}")
        if character == "," and depth == 0:
            items.append("")
        else:
            items[-1] += character
    return [item.strip() for item in items]


def _with_unit(items: list[str], where: Location) -> list[object]:
    """Items as values; the unit of the last one for those that are bare numbers."""
    last = _NUMBER.fullmatch(items[-1]) if items else None
    unit = last[2] if last else ""
    result: list[object] = []
    for item in items:
        number = _NUMBER.fullmatch(item)
        own = (number[2] or unit) if number else ""
        if number and own:
            result.append(f"{number[1]}{own}" if own == "x" else f"{number[1]} {own}")
        else:
            result.append(parse_value(item, where))
    return result


def _range(path: str, text: str, match: re.Match[str], where: Location) -> Axis:
    low_text, low_unit = _quantity(match["low"], text, where)
    high_text, high_unit = _quantity(match["high"], text, where)
    unit = low_unit or high_unit
    low, high = low_text, high_text
    smaller: tuple[tuple[str, float], ...] = ()
    if low_unit and high_unit and low_unit != high_unit:
        factors = next((t for t in UNITS.values() if low_unit in t and high_unit in t), None)
        if factors is None:
            raise ConfigError(
                f"{text!r}: {low_unit!r} and {high_unit!r} do not belong together", where=where
            )
        ratio = factors[high_unit] / factors[low_unit]
        high *= ratio
        smaller = ((high_unit, ratio),)
    scale, count = _scale(match["rest"], text, where)
    whole = not unit and low == int(low) and high == int(high) and "." not in match["low"]
    if not low < high:
        raise ConfigError(
            f"{text!r} is an empty range: it must ascend", where=where,
            hint="write the smaller end first",
        )  # fmt: skip
    log = scale in ("log2", "log10")
    if log and low <= 0:
        raise ConfigError(f"{text!r}: a logarithmic range starts above zero", where=where)
    interval = Interval(low, high, unit, log, whole, smaller)
    stepped = count is not None or log or whole
    numbers = _numbers(interval, scale, count)
    if len(numbers) > MAX_VALUES:
        raise ConfigError(f"{text!r} are {len(numbers):,} values", where=where, hint="take fewer")
    values = tuple(dict.fromkeys(_rounded(interval, number) for number in numbers))
    return Axis(path, values, interval, stepped)


def _quantity(text: str, whole: str, where: Location) -> tuple[float, str]:
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ConfigError(
            f"{whole!r} is not a range: {text.strip()!r} is no number", where=where,
            hint="write it like 128KiB..4MiB:log2",
        )  # fmt: skip
    return float(match[1].replace("_", "")), match[2]


def _scale(rest: str, text: str, where: Location) -> tuple[str, int | None]:
    parts = [part.strip() for part in rest.split(":")[1:]]
    scale = "linear"
    if parts and not parts[0].isdecimal():
        scale = parts.pop(0)
    count = parts.pop(0) if parts else None
    if scale not in SCALES or parts or (count is not None and not count.isdecimal()):
        raise ConfigError(
            f"{text!r}: {rest.lstrip(':')!r} is not a scale", where=where,
            hint=f"write {', '.join(SCALES)}, and the number of values if you like: log2:7",
        )  # fmt: skip
    if count is not None and int(count) < 2:
        raise ConfigError(f"{text!r}: a range has at least 2 values", where=where)
    return scale, None if count is None else int(count)


def _numbers(interval: Interval, scale: str, count: int | None) -> list[float]:
    low, high = interval.low, interval.high
    if count is None and scale != "linear":
        base = 2.0 if scale == "log2" else 10.0
        steps = int(math.log(high / low, base) * (1 + 1e-12) + 1e-9)
        return [low * base**k for k in range(min(steps, MAX_VALUES) + 1)]
    if count is None and interval.whole:
        return [low + k for k in range(min(int(high - low), MAX_VALUES) + 1)]
    count = min(count or DEFAULT_COUNT, MAX_VALUES + 1)
    shares = [k / (count - 1) for k in range(count)]
    if interval.log:
        inner = [low * (high / low) ** share for share in shares[1:-1]]
    else:
        inner = [low + (high - low) * share for share in shares[1:-1]]
    return [low, *inner, high]


def _rounded(interval: Interval, number: float) -> Any:
    return round(number) if interval.whole else interval.spell(number)


def _digits(number: float) -> str:
    return f"{number:.12g}"
