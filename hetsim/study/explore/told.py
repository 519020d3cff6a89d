"""What is kept of a design that was tried: one sealed record for each trial of the storage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hetsim.records import Record, checked, damaged, seal, unsealed
from hetsim.study.outcome import Outcome

ATTRIBUTE = "told"
"""Where it stands among the trial's attributes."""


class Told(Record):
    """A trial's suggestions and what came of them; ``outcomes`` are sealed texts by point."""

    params: dict[str, str | int | float]
    measures: dict[str, float]
    violations: dict[str, float]
    error: str | None
    outcomes: dict[str, str]

    def points(self, place: str) -> dict[str, Outcome]:
        """The outcomes of the points it took.

        Raises:
            ResultsError: one is damaged.
        """
        return {key: Outcome.from_json(text, place) for key, text in self.outcomes.items()}


def tell(
    trial: Any,
    outcomes: Mapping[str, Outcome],
    *,
    measures: Mapping[str, float] | None = None,
    violations: Mapping[str, float] | None = None,
    error: str | None = None,
) -> None:
    """Puts the record of ``trial`` into the storage."""
    record = {
        "params": dict(trial.params),
        "measures": dict(measures or {}),
        "violations": dict(violations or {}),
        "error": error,
        "outcomes": {key: outcome.to_json() for key, outcome in outcomes.items()},
    }
    trial.set_user_attr(ATTRIBUTE, seal(record))


def told(trial: Any, objectives: tuple[str, ...], place: str) -> Told | None:
    """The record of a trial; ``None`` when nothing was told of it.

    Raises:
        ResultsError: it was changed, or what the storage says beside it is something else.
    """
    where = f"{place}, trial {trial.number}"
    found = trial.user_attrs.get(ATTRIBUTE)
    if found is None:
        if trial.values is not None:
            raise damaged(where, "it has values that nobody told")
        return None
    record = checked(unsealed(found, where), Told, where)
    if record.params != trial.params:
        raise damaged(where, "its design is another than the one that was tried")
    if trial.values is not None and trial.values != [record.measures.get(n) for n in objectives]:
        raise damaged(where, "its values are others than what was measured")
    return record
