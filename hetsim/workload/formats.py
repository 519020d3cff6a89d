"""The formats that networks come in: which file is of which, and who reads it.

A new format is one file: a subclass of :class:`ModelFormat`. Its package declares it under the
entry-point group ``hetsim.model_formats`` (name = the format's name, value = the subclass). A file
is of the format that claims its suffix; one with a suffix that nobody claims, of the format that
knows its first bytes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from hetsim.errors import Location, WorkloadError
from hetsim.plugins import registered
from hetsim.workload.graph import Graph
from hetsim.workload.sizes import Sizes

GROUP = "hetsim.model_formats"
"""Entry-point group of further formats."""

BUILT_IN = {
    "onnx": "hetsim.workload.onnx.format:OnnxFormat",
    "tflite": "hetsim.workload.tflite.format:TFLiteFormat",
}

HEAD = 16
"""How many first bytes of a file :meth:`ModelFormat.recognises` gets."""


class SizeNames(NamedTuple):
    """What a user may state sizes of: inputs, open dimensions, and results of operators."""

    inputs: frozenset[str]
    dims: frozenset[str] = frozenset()
    outputs: frozenset[str] = frozenset()


class ModelFormat(ABC):
    """One format of networks. Asked for a file's suffix first, so importing it must be quick.

    ``title`` is what people call it, ``suffixes`` how its files' names end (lower case).
    """

    title: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]

    def recognises(self, head: bytes) -> bool:
        """Whether a file that begins with these :data:`HEAD` bytes is surely of this format."""
        return False

    @abstractmethod
    def load(self, path: Path, **options: Any) -> Graph:
        """The network in the file at ``path``; kinds of operators have ONNX's names.

        ``options`` are those of :func:`hetsim.workload.onnx.loader.load_onnx` but ``source``; one
        that this format has no use for is documented or refused.

        Raises:
            WorkloadError: it cannot be understood; names the file.
        """

    def problems(self, path: Path, sizes: Sizes) -> Sequence[WorkloadError]:
        """All that keeps a file from being loaded, as far as that can be told at once.

        Asked only about a file that :meth:`load` refused; none where nothing more is known.

        Raises:
            WorkloadError: it cannot be read at all.
        """
        return ()

    @abstractmethod
    def inputs(self, path: Path) -> Sequence[str]:
        """Names of the network's inputs, of which a user may state shapes.

        Raises:
            WorkloadError: no such file, or not of this format.
        """

    def size_names(self, path: Path) -> SizeNames:
        """What ``input_shapes``, ``dims`` and ``max_output`` may name; inputs only, if not said.

        Raises:
            WorkloadError: no such file, or not of this format.
        """
        return SizeNames(frozenset(self.inputs(path)))


@cache
def formats() -> dict[str, ModelFormat]:
    """The formats by name: the built-in ones, then entry points in alphabetical order.

    Raises:
        ConfigError: an entry point fails to load, is no ``ModelFormat``, or takes a name in use.
    """
    found = registered(GROUP, ModelFormat, BUILT_IN, "model format")  # type: ignore[type-abstract]
    return {name: form() for name, form in found.items()}


def names_file(text: str | Path) -> bool:
    """Whether what a user wrote names a file, not a network that comes with hetsim."""
    path = Path(text)
    return len(path.parts) > 1 or _claiming(path) is not None


def format_of(path: Path) -> ModelFormat:
    """The format of a file.

    Raises:
        WorkloadError: nobody claims its suffix or knows its beginning, or its content is plainly
            of another format than its name says.
    """
    claimed, known = _claiming(path), _recognising(path)
    if claimed is not None and known is not None and known is not claimed:
        raise WorkloadError(
            f"its name says {claimed.title}, its content is {known.title}",
            where=Location(str(path)),
            hint=f"give the file a name that ends in {known.suffixes[0]}",
        )
    found = known or claimed
    if found is None:
        every = ", ".join(f"{form.title} ({', '.join(form.suffixes)})" for form in
                          formats().values())  # fmt: skip
        problem = "there is no such file" if not path.exists() else "no known format of networks"
        raise WorkloadError(problem, where=Location(str(path)), hint=f"read are: {every}")
    return found


def _claiming(path: Path) -> ModelFormat | None:
    suffix = path.suffix.lower()
    return next((form for form in formats().values() if suffix in form.suffixes), None)


def _recognising(path: Path) -> ModelFormat | None:
    if not path.is_file():
        return None
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD)
    except OSError:  # the reader says why it cannot be read
        return None
    return next((form for form in formats().values() if form.recognises(head)), None)
