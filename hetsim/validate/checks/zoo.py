"""Work and parameters of the zoo's networks against what was published of them."""

from __future__ import annotations

from collections.abc import Iterable

from hetsim.validate.base import Check, Row, Setting
from hetsim.workload.zoo import MODELS, load_model

NAMES = {"macs": "multiply-accumulates", "parameters": "parameters"}


class PublishedWork(Check):
    """Every figure that the zoo's registry calls comparable."""

    title = "work and parameters of networks"
    compared = (
        "multiply-accumulates and parameters counted in each network's graph against the published"
        " figures, which are rounded"
    )
    kind = "published"
    unit = "count"
    source = "papers and model documentation, named by `hetsim list models`"
    grouped = "figure"

    def rows(self, setting: Setting, part: str) -> Iterable[Row]:
        """Two rows a network at most."""
        for name, model in MODELS.items():
            graph = load_model(name)
            for what, group in NAMES.items():
                published = getattr(model, what)
                if published is not None and what in model.comparable:
                    yield Row(name, group, float(published), float(getattr(graph, what)))
