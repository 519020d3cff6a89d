"""How results show themselves in notebooks: as HTML, and as data frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hetsim.errors import MissingExtraError

if TYPE_CHECKING:
    import pandas

RENDERERS: dict[type, Callable[[Any], str]] = {}
"""How notebooks show runs and results: entered by the package's front door (``import hetsim``),
which knows the reports; without that they show as plain text."""


def html(value: object) -> str | None:
    """What notebooks show of ``value``; ``None`` leaves them its plain text."""
    render = RENDERERS.get(type(value))
    return None if render is None else render(value)


def frame(rows: Any, columns: list[str]) -> pandas.DataFrame:
    """Rows (mappings), or columns by name, as a data frame.

    Raises:
        MissingExtraError: pandas is not installed.
    """
    try:
        import pandas
    except ImportError:
        raise MissingExtraError.for_extra("pandas", "data", "a data frame") from None
    return pandas.DataFrame(rows, columns=columns)
