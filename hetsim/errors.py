"""The one family of exceptions that hetsim raises for reasons a user can mend.

Library code raises these and never prints or exits; the command line turns them into one message
on standard error and exit code 2. Anything else that escapes is a defect of hetsim (exit code 1).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Location:
    """A place in an input file. Lines and columns count from 1; ``None`` where unknown."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [self.file]
        if self.line is not None:
            parts.append(str(self.line))
            if self.column is not None:
                parts.append(str(self.column))
        return ":".join(parts)


MOST = 2_000
"""Characters of a message that anybody reads; what a hostile file makes longer is cut."""


def shortened(text: str, most: int = MOST) -> str:
    """``text``, cut where it is longer than ``most`` characters; says by how much."""
    return text if len(text) <= most else f"{text[:most]}... ({len(text) - most:,} more characters)"


class HetsimError(Exception):
    """Base of every error caused by an input, an option or the environment.

    ``where`` names the file, line and column when there is one; ``hint`` says what would be right.
    """

    def __init__(
        self, message: str, *, where: Location | None = None, hint: str | None = None
    ) -> None:
        self.message = shortened(message)
        super().__init__(self.message)
        self.where = where
        self.hint = None if hint is None else shortened(hint)

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}\n  {self.hint}" if self.hint else text

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive the default pickling, and errors cross processes.
        return (_rebuild, (type(self), self.message, self.where, self.hint))


def _rebuild(
    kind: type[HetsimError], message: str, where: Location | None, hint: str | None
) -> HetsimError:
    error = kind.__new__(kind)
    HetsimError.__init__(error, message, where=where, hint=hint)
    return error


class ConfigError(HetsimError):
    """A SoC, scenario or option that cannot be understood or is out of its allowed range."""


class UnitError(ConfigError):
    """A quantity whose number or unit is wrong."""


class WorkloadError(HetsimError):
    """A network that cannot be read, is malformed, or holds operators nobody models."""


class PlanError(HetsimError):
    """A plan that does not fit its network or SoC."""


class SchedulerError(HetsimError):
    """A scheduler that cannot be found, raises, or returns something that is not a plan."""


class DispatcherError(HetsimError):
    """A dispatcher that cannot be found, raises, or does what no unit can carry out."""


class InfeasibleError(HetsimError):
    """A demand the SoC cannot meet (a buffer or memory too small); says by how much."""


class MissingExtraError(HetsimError):
    """An optional library is not installed; the hint is the command that installs it."""

    @classmethod
    def for_extra(cls, library: str, extra: str, purpose: str) -> MissingExtraError:
        """The error for ``library``, which ``pip install 'hetsim[extra]'`` provides."""
        return cls(
            f"{purpose} needs {library}, which is not installed",
            hint=f"install it with: pip install 'hetsim[{extra}]'",
        )


class ResultsError(HetsimError):
    """A results directory or store that exists, is damaged, or belongs to something else."""
