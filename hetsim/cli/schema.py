"""``hetsim schema``: file formats as JSON Schema, for editors and for other programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click


def _soc() -> dict[str, Any]:
    from hetsim.soc.loader import soc_json_schema

    return soc_json_schema()


def _scenario() -> dict[str, Any]:
    from hetsim.scenario.loader import scenario_json_schema

    return scenario_json_schema()


def _plan() -> dict[str, Any]:
    from hetsim.plan.files import plan_json_schema

    return plan_json_schema()


def _nodemap() -> dict[str, Any]:
    from hetsim.plan.nestc.nodemap import node_map_json_schema

    return node_map_json_schema()


def _profile() -> dict[str, Any]:
    from hetsim.cost.measured.files import profile_json_schema

    return profile_json_schema()


def _result() -> dict[str, Any]:
    from hetsim.report.files.resultfile import result_json_schema

    return result_json_schema()


def _serving() -> dict[str, Any]:
    from hetsim.report.files.serving.resultfile import serving_json_schema

    return serving_json_schema()


def _assignment() -> dict[str, Any]:
    from hetsim.plan.handover.document import assignment_json_schema

    return assignment_json_schema()


def _placement() -> dict[str, Any]:
    from hetsim.host.handover.evidence import placement_json_schema

    return placement_json_schema()


FORMATS: dict[str, Callable[[], dict[str, Any]]] = {
    "soc": _soc,
    "scenario": _scenario,
    "plan": _plan,
    "nodemap": _nodemap,
    "profile": _profile,
    "result": _result,
    "serving": _serving,
    "assignment": _assignment,
    "placement": _placement,
}


@click.command()
@click.argument("format_name", metavar="FORMAT", type=click.Choice(list(FORMATS)))
def command(format_name: str) -> None:
    """Print the JSON Schema of a file format.

    FORMAT is soc, scenario, plan, nodemap, profile, result, serving, assignment or placement. An
    editor that knows YAML schemas completes and checks a file with it: save it with
    'hetsim schema soc > soc.schema.json' and name it in the first line of the file:
    '# yaml-language-server: $schema=soc.schema.json'.
    """
    click.echo(json.dumps(FORMATS[format_name](), indent=1, ensure_ascii=False).encode())
