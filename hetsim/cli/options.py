"""Types of options that several verbs have."""

from __future__ import annotations

import click

SEED = click.IntRange(0, 2**63 - 1)
"""What a scenario file takes as well."""
