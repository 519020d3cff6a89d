"""Options that several verbs have, and their types."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hetsim.errors import ConfigError, Location

if TYPE_CHECKING:
    from hetsim.workload.sizes import Sizes

Function = TypeVar("Function", bound=Callable[..., Any])

SEED = click.IntRange(0, 2**63 - 1)
"""What a scenario file takes as well."""


def size_options() -> Iterator[click.Option]:
    """``--dim``, ``--input-shape``, ``--max-output``: sizes that files leave open."""
    for names, metavar, text in (
        (("--dim", "dims"), "NAME=N",
         "Size of an open dimension of the networks, by its name in the file (or INPUT.POSITION),"
         " as batch=1; also the value of an input of one whole number."),
        (("--input-shape", "input_shapes"), "TENSOR=1x3x224x224",
         "Whole shape of an input that has open dimensions."),
        (("--max-output", "max_outputs"), "TENSOR=N|SHAPE",
         "How many results an operator has at most where the data decide, or the whole shape of a"
         " tensor that the file does not tell; by tensor, operator or kind."),
    ):  # fmt: skip
        text += " May be repeated."
        yield click.Option(list(names), metavar=metavar, multiple=True, help=text)


def sized(function: Function) -> Function:
    """Gives a command the :func:`size_options`; it gets them as one argument, ``sizes``."""

    @functools.wraps(function)
    def command(
        *args: Any, dims: Sequence[str], input_shapes: Sequence[str], max_outputs: Sequence[str],
        **others: Any,
    ) -> Any:  # fmt: skip
        return function(*args, sizes=parse_sizes(dims, input_shapes, max_outputs), **others)

    found = command.__dict__.setdefault("__click_params__", [])
    found.extend(reversed(list(size_options())))
    return command  # type: ignore[return-value]  # the same function with other options


def parse_sizes(
    dims: Sequence[str], input_shapes: Sequence[str], max_outputs: Sequence[str]
) -> Sizes:
    """What the :func:`size_options` say.

    Raises:
        ConfigError: something that is no size.
    """
    from hetsim.workload.sizes import Sizes

    numbers: dict[str, int] = {}
    for text in dims:
        name, sizes = _assigned(text, "--dim", "seq=128")
        if len(sizes) != 1:
            raise _no_size(text, "--dim", "seq=128")
        if name in numbers:
            raise ConfigError(f"{name!r} is given twice", where=Location("--dim"))
        numbers[name] = sizes[0]
    shapes = dict(_assigned(text, "--input-shape", "data=1x3x224x224") for text in input_shapes)
    outputs: dict[str, int | tuple[int, ...]] = {}
    for text in max_outputs:
        name, sizes = _assigned(text, "--max-output", "boxes=300")
        outputs[name] = sizes[0] if len(sizes) == 1 else sizes
    return Sizes(shapes, numbers, outputs)


def _assigned(text: str, option: str, example: str) -> tuple[str, tuple[int, ...]]:
    name, equals, shape = text.rpartition("=")
    words = shape.lower().replace("x", ",").split(",")
    if not (equals and name and all(_is_extent(word.strip()) for word in words)):
        raise _no_size(text, option, example)
    return name, tuple(map(int, words))


def _no_size(text: str, option: str, example: str) -> ConfigError:
    what = "shape" if option == "--input-shape" else "size"
    return ConfigError(
        f"{text!r} is not a {what}", where=Location(option), hint=f"write it like {example}"
    )


def _is_extent(text: str) -> bool:
    return text.isdecimal() and len(text) <= 10 and 0 < int(text) < 2**31
