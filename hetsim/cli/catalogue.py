"""What a kind of thing that ``hetsim list`` shows is, and the cells of its table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Row = Mapping[str, object]


@dataclass(frozen=True)
class Catalogue:
    """One kind of thing: where its rows come from, and how they are shown.

    ``columns`` maps headings to the text of a cell; ``--json`` prints the rows as they are.
    ``shown`` makes the rows of the table out of them where the table is briefer.
    """

    rows: Callable[[], list[Row]]
    columns: Mapping[str, Callable[[Row], str]]
    shown: Callable[[list[Row]], list[Row]] = list


def field_of(name: str) -> Callable[[Row], str]:
    """As it is."""
    return lambda row: str(row[name])


def joined(name: str) -> Callable[[Row], str]:
    """A list, separated by commas."""

    def cell(row: Row) -> str:
        value = row[name]
        assert isinstance(value, list)
        return ", ".join(map(str, value))

    return cell


def quantity(name: str, dimension: str) -> Callable[[Row], str]:
    """A quantity of ``dimension`` in a unit that suits it."""

    def cell(row: Row) -> str:
        from hetsim.units import format_quantity

        return format_quantity(float(str(row[name])), dimension)

    return cell


def number(name: str, unit: float) -> Callable[[Row], str]:
    """In units of ``unit``, to four digits; a dash where there is none."""
    return lambda row: "–" if row[name] is None else f"{float(str(row[name])) / unit:.4g}"
