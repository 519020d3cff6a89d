"""``--workers``: the processes of a verb that can do its work in one as well."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from hetsim.executors.base import Executor

workers_option = click.option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    help="Worker processes; the result is the same.  [default: as many as pay off]",
)


@contextmanager
def team(workers: int | None, worth: int) -> Iterator[Executor[Any, Any] | None]:
    """Yields as many processes as asked for, or as there are processors and work is ``worth``.

    ``None`` where that is one: then the work is done here, and tells how far it is.
    """
    if (workers or worth) == 1:
        yield None
        return
    from hetsim.executors.registry import executor, processors

    count = workers or min(worth, processors())
    if count == 1:
        yield None
        return
    found: Executor[Any, Any] = executor(count)
    with found:
        yield found
