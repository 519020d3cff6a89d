"""What kinds of results have in common: how they are stored, and what is written about them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from hetsim.errors import ConfigError, Location
from hetsim.executors.calls import Call
from hetsim.report.files.extras import Extra, Wanted
from hetsim.report.page.study import Section

R = TypeVar("R")

Contents = Iterator[tuple[str, str | bytes]]
"""Files by name, one after the other."""


class Kind(ABC, Generic[R]):
    """Results of one kind in directories. ``archive`` is the file that a result is read back from.

    ``figures`` are the words for ``--figures`` beside ``none``, ``best`` and ``all``.
    """

    archive: ClassVar[str]
    figures: ClassVar[tuple[str, ...]]

    @abstractmethod
    def load(self, directory: Path, planning_s: Mapping[tuple[str, str], float]) -> R:
        """The result in a directory; ``planning_s`` are wall-clock times from its manifest.

        They are by network and scheduler, as in :meth:`planning`. Raises
        :class:`~hetsim.errors.ResultsError` for what is damaged.
        """

    @abstractmethod
    def extras(self, result: R) -> list[Extra]:
        """All that can be made of ``result`` beside its report; names are safe and unique."""

    @abstractmethod
    def best(self, result: R) -> frozenset[int]:
        """The positions of the runs that the word ``best`` is about."""

    @abstractmethod
    def call(self, result: R, extra: Extra) -> Call:
        """What makes the files of ``extra``, in the order of their names."""

    @abstractmethod
    def document(
        self, result: R, files: Mapping[int, Mapping[str, str]] | None = None
    ) -> dict[str, Any]:
        """``result.json`` as plain JSON values; ``files`` as in :meth:`core`."""

    @abstractmethod
    def core(
        self, result: R, files: Mapping[int, Mapping[str, str]], versions: Mapping[str, str],
        sections: Sequence[Section],
    ) -> Contents:  # fmt: skip
        """The files that every directory has, without the manifest.

        ``files`` are those beside them, by the position of their run and then by kind;
        ``versions`` is what simulated; ``sections`` are shown in the report as they are.
        """

    @abstractmethod
    def about(self, result: R) -> dict[str, Any]:
        """What the manifest says of the result, as plain JSON values."""

    @abstractmethod
    def names(self, result: R) -> list[str]:
        """What the option ``--run`` calls each run."""

    @abstractmethod
    def planning(self, result: R) -> list[tuple[str, str, float]]:
        """Of each run the network and the scheduler, and how long it was planned, seconds."""

    @abstractmethod
    def inputs(self, result: R) -> Mapping[str, str]:
        """Hashes of what was read."""

    def chosen(self, result: R, wanted: Wanted) -> list[Extra]:
        """The extras of ``result`` that are wanted."""
        best = self.best(result)
        return [extra for extra in self.extras(result) if wanted.includes(extra, best)]

    def check_figures(self, asked: str | None) -> None:
        """Whether such results have figures of that name.

        Raises:
            ConfigError: they have not.
        """
        known = ("none", "best", "all", *self.figures)
        if asked is not None and asked not in known:
            raise ConfigError(
                f"there is no figure {asked!r} of such results",
                where=Location("--figures"),
                hint=f"there are {', '.join(known)}",
            )
