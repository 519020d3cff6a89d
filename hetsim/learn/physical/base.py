"""What a physical model must offer to be fitted, judged, and built upon by a learned one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from hetsim.learn.tables.table import Measurements
from hetsim.numeric import Floats


class Fitted(ABC):
    """A physical model with its parameters: predicts the target of any row of its form."""

    @abstractmethod
    def predict(self, table: Measurements) -> Floats:
        """The target of each row, in the table's unit."""

    @abstractmethod
    def floor(self, table: Measurements) -> Floats:
        """What no row can be faster than on this hardware, in the table's unit."""

    @abstractmethod
    def parameters(self) -> Mapping[str, float]:
        """Everything that was fitted, by name, SI units; enough to build it again."""


class Baseline(ABC):
    """A physical model before its parameters are known."""

    name: str = ""

    @abstractmethod
    def fit(self, table: Measurements) -> Fitted:
        """Finds the parameters that explain ``table``; never looks at other rows."""

    @abstractmethod
    def restore(self, parameters: Mapping[str, float]) -> Fitted:
        """The fitted model that :meth:`Fitted.parameters` described."""
