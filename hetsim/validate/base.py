"""What a check of fidelity is: reference values from elsewhere beside what hetsim says.

Adding one is a file in ``hetsim/validate/checks/`` with one subclass and a line in
:mod:`hetsim.validate.registry`, or an entry point of the group ``hetsim.checks`` in a package of
your own; then the limits of its errors in ``thresholds.yaml``, and its tables in ``hetsim/data``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from hetsim.validate.tables import Tables

Kind = Literal["measured", "simulated", "estimated", "published"]
"""Where reference values come from: silicon, another simulator, a vendor's estimate, a paper."""


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison: a positive ``reference`` value beside the ``simulated`` one, in one unit.

    Rows of one ``group`` (a chip, a device, a family) are coloured and summed up together.
    ``low`` and ``high`` are the ends of the simulated value's range, where it has one.
    """

    name: str
    group: str
    reference: float
    simulated: float
    low: float | None = None
    high: float | None = None

    @property
    def error(self) -> float:
        """Simulated over reference minus one, as a share."""
        return self.simulated / self.reference - 1.0


@dataclass(frozen=True, slots=True)
class Setting:
    """What a check may use: its tables, and with ``live`` the program that made them, again."""

    tables: Tables
    live: bool = False


class Check(ABC):
    """One check. The class says what is compared, :meth:`rows` compares.

    It has no state: it crosses to other processes by its name. The same tables give the same rows,
    to the bit.
    """

    title: ClassVar[str]
    """A few words, without the names of tables: ``finish times of flows``."""

    compared: ClassVar[str]
    """A sentence: which value of hetsim's beside which reference, and what the fit has seen."""

    kind: ClassVar[Kind]

    unit: ClassVar[str]
    """Of all values: ``s``, ``J``, ``B/s`` or a word of its own (``cycles``)."""

    tables: ClassVar[Sequence[str]] = ()
    """Files of ``hetsim/data`` that are read; ``sources.yaml`` there tells source and licence."""

    source: ClassVar[str] = ""
    """Where reference values come from that stand in no table."""

    peer: ClassVar[str] = ""
    """The error that somebody else states on such data, and where."""

    grouped: ClassVar[str] = "group"
    """What a group is: ``chip``, ``device``, ``family``."""

    slow: ClassVar[bool] = False
    """Whether it takes more than some ten seconds; ``--quick`` leaves it out."""

    on_host: ClassVar[bool] = False
    """Whether it measures this machine: it then runs with ``--host`` only, or when it is named."""

    def parts(self, setting: Setting) -> Sequence[str]:
        """What may be done side by side; each is given to :meth:`rows`. One part as it stands.

        Raises:
            HetsimError: as :meth:`rows` does.
        """
        return ("",)

    @abstractmethod
    def rows(self, setting: Setting, part: str) -> Iterable[Row]:
        """The comparisons of a part.

        Raises:
            UnavailableError: what it needs is not here, as a table that does not ship.
            MissingExtraError: a library that is not installed.
            HetsimError: anything else that stands in the way; the check then counts as failed.
        """
