"""What all that charges a window's program holds of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hetsim.bounds.accounts import Accounts

Reads = Mapping[int, Mapping[int | None, Sequence[str]]]
"""What each operator reads, by maker."""


class Charges:
    """The books of a window, and who reads what from whom there (``reads``)."""

    def __init__(self, books: Accounts, reads: Reads) -> None:
        self._books = books
        self._graph = books.graph
        self._floors = books.floors
        self._stage = books.stage
        self._share = books.labels.share
        self._labels = books.labels.of
        self._rows = books.rows
        self._scale = books.scale
        self._wait = books.wait
        self._reads = reads
        self._inside = set(books.stage.ops)
