"""Which node of a foreign plan is which operator: as proposed, and as a file settles it.

.. code-block:: yaml

    hetsim: nodemap/1
    model: resnet18
    nodes:
      stage1_conv0_fwd__2: layer1.0.1.conv     # rule: the only Conv between its neighbours
      relu_behind_concat: [n5, n9, n11]        # one node for several operators
      preprocess_sub: null                     # no operator here
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field

from hetsim.errors import ConfigError, PlanError
from hetsim.names import nearest
from hetsim.soc.fields import Spec
from hetsim.validation import json_schema, validate
from hetsim.workload.graph import Graph
from hetsim.yamlio import read_yaml

FORMAT = "nodemap/1"

How = Literal["name", "rule", "position", "hand", "same", "none"]
"""``name``: it bears the operator's name. ``rule``: nothing else fits what its name and place say.
``position``: as good as others, taken by order. ``hand``: a map says so. ``same``: made from the
same operator as another node. ``none``: nothing was found."""


@dataclass(frozen=True)
class Match:
    """One node: the operators it stands for (none: no operator), how that was found, and why.

    ``beside`` is the node that stands for the operator which this one was made from, too.
    """

    node: str
    operators: tuple[str, ...]
    how: How
    why: str = ""
    beside: str = ""


@dataclass(frozen=True)
class NodeMap:
    """What became of every node, in the order of the plan.

    ``ordered`` of ``dependencies`` between matched operators agree with the order of the plan.
    """

    model: str
    matches: tuple[Match, ...]
    ordered: int = 0
    dependencies: int = 0

    @property
    def unmatched(self) -> tuple[Match, ...]:
        """Nodes without an operator that nobody settled."""
        return tuple(match for match in self.matches if match.how == "none")

    @property
    def matched(self) -> int:
        """Nodes that stand for operators."""
        return sum(1 for match in self.matches if match.operators)

    @property
    def summary(self) -> str:
        """How the nodes were found, counted; empty when all bear the operators' names."""
        counts = Counter(match.how for match in self.matches if match.operators)
        if counts.keys() <= {"name"}:
            return ""
        words = {"name": "by name", "rule": "by rule", "position": "by position", "hand": "by hand"}
        found = ", ".join(f"{counts[how]} {words[how]}" for how in words if counts[how])  # type: ignore[index]
        order = f"{self.ordered} of {self.dependencies} dependencies"
        return f"{found}; the plan's order agrees with {order}"


class NodeMapSpec(Spec):
    """A node map as written in its file."""

    hetsim: Literal["nodemap/1"] = Field(description="format of this file")
    model: str | None = Field(default=None, description="the network")
    nodes: dict[str, str | list[str] | None] = Field(
        description="operators by node; null where there is none"
    )


def read_node_map(
    path: str | Path, nodes: Collection[str], graph: Graph
) -> Mapping[str, tuple[str, ...]]:
    """What a file settles of ``nodes``: their operators, none where it says null.

    Raises:
        PlanError: unreadable, no such map, of another network, a node that the plan does not have,
            an operator that the network does not have; located.
    """
    try:
        document = read_yaml(path)
        spec = validate(NodeMapSpec, document)
    except ConfigError as error:
        raise PlanError(error.message, where=error.where, hint=error.hint) from None
    if spec.model is not None and spec.model != graph.name:
        raise PlanError(
            f"this map is for network {spec.model!r}, not {graph.name!r}",
            where=document.where(("model",)),
        )
    settled = {}
    for node, meant in spec.nodes.items():
        if node not in nodes:
            raise PlanError(
                f"the plan has no node {node!r}{_guess(node, nodes)}",
                where=document.where_key(("nodes", node)),
            )
        operators = (meant,) if isinstance(meant, str) else tuple(meant or ())
        for operator in operators:
            if operator not in graph.index:
                raise PlanError(
                    f"{graph.name} has no operator {operator!r}{_guess(operator, graph.index)}",
                    where=document.where(("nodes", node)),
                )
        settled[node] = operators
    return settled


def node_map_json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of node maps."""
    return json_schema(NodeMapSpec, "hetsim nodemap")


def _guess(word: str, known: Collection[str]) -> str:
    guess = nearest(word, known)
    return f"; did you mean {guess!r}?" if guess else ""


def dump_node_map(found: NodeMap) -> str:
    """``found`` as YAML text with what speaks for each line, which :func:`read_node_map` reads."""
    lines = [
        f"hetsim: {FORMAT}",
        f"model: {_scalar(found.model)}",
        f"# {found.summary or 'every node bears the name of its operator'}.",
        "# name: the operator's own; rule: nothing else fits; position: by order, others fit as",
        "# well; same: made from the same operator as another node; none: nothing was found: write",
        "# what it is, or null where it is no operator here.",
        "nodes:",
    ]
    for match in found.matches:
        operators = [_scalar(name) for name in match.operators]
        meant = f"[{', '.join(operators)}]" if len(operators) > 1 else "".join(operators) or "null"
        if match.how == "none":
            lines.append(f"  # {_scalar(match.node)}: null  # none: {match.why}")
        else:
            why = f": {match.why}" if match.why else ""
            lines.append(f"  {_scalar(match.node)}: {meant}  # {match.how}{why}")
    if all(match.how == "none" for match in found.matches):
        lines[6] = "nodes: {}"
    return "\n".join([*lines, ""])


def _scalar(text: str) -> str:
    """``text`` quoted where YAML needs it."""
    written: str = yaml.safe_dump(text, width=10**6, allow_unicode=True)
    return written.removesuffix("\n").removesuffix("\n...")
