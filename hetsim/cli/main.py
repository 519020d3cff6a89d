"""The command line: one group, one module per verb, and what every ending means to the shell.

Verbs are imported only when they are called, so that ``hetsim --help`` stays instant although the
verbs need onnx, pydantic and matplotlib. Each verb is a kind of study
(:mod:`hetsim.study.registry`, :mod:`hetsim.cli.studies`) or a module ``hetsim/cli/<verb>.py`` that
exposes ``command``; it may return an exit code (``None`` means 0).

Exit codes: 0 done; 1 a defect of hetsim (with a traceback); 2 an input or option that cannot be
used, or a row of a study that failed; 3 results that differ (``hetsim diff --exit-code``) or an
error above its limit (``hetsim validate``); 130 interrupted; 141 the reader of our output went
away; 143 terminated (SIGTERM), which ends a verb just as an interruption does: partial work is kept
or removed, workers are stopped.
"""

from __future__ import annotations

import contextlib
import difflib
import errno
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from types import FrameType

import click

from hetsim.collector import look_seldom
from hetsim.errors import HetsimError, shortened
from hetsim.study.registry import STUDIES, find_study, studies

EXIT_DEFECT = 1
EXIT_INPUT = 2
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141
EXIT_TERMINATED = 143

VERBS = {
    "init": "Write a commented SoC and scenario to begin with.",
    "run": "Simulate a scenario and report every model under every scheduler.",
    "list": "Show the SoCs, models, schedulers, dispatchers, scenarios or operators there are.",
    "schema": "Print the JSON Schema of a file format.",
    "plan": "Validate, show, make or convert plan files, and carry them out for real.",
    "model": "Summarise a network: its operators, arithmetic and memory, and who can run what.",
    "delegate": "Say which parts of a network to delegate to accelerators, and why.",
    "profile": "Make operator profiles: simulated, measured here, or imported.",
    "calibrate": "Fit the cost models of a SoC to measurements.",
    **{name: line for name, (_, line) in STUDIES.items()},
    "report": "Rebuild the report of a results directory.",
    "diff": "Compare two results.",
    "validate": "Compare hetsim with measurements and with other simulators.",
    "verify": "Run plans on this machine and compare with the simulation.",
}
"""Every verb that ships with hetsim, with the line that ``hetsim --help`` shows for it."""

# Errors of the machine rather than of hetsim or of one input file.
_ENVIRONMENT = frozenset(
    {
        errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENAMETOOLONG,
        errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EIO,
        errno.EMFILE, errno.ENFILE, errno.EBUSY,
    }
)  # fmt: skip


class LazyGroup(click.Group):
    """A group whose commands are modules, found by name and imported when called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs that are installed, in the order of :data:`VERBS`, then those of others."""
        here = Path(__file__).parent
        ours = [verb for verb in VERBS if verb in STUDIES or (here / f"{verb}.py").is_file()]
        return [*ours, *(name for name in studies() if name not in VERBS)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports the module of a verb; ``None`` when there is no such verb."""
        if cmd_name not in self.list_commands(ctx):
            return None
        if cmd_name not in VERBS or cmd_name in STUDIES:
            study_command = import_module("hetsim.cli.studies").study_command
            found: click.Command = study_command(cmd_name, find_study(cmd_name))
            return found
        command = import_module(f"hetsim.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Finds the verb, or says which one was probably meant."""
        known = self.list_commands(ctx)
        if args and args[0] not in known and not args[0].startswith("-"):
            close = difflib.get_close_matches(args[0], known, n=1)
            meant = f"did you mean {close[0]!r}? " if close else ""
            raise click.UsageError(
                f"there is no command {args[0]!r}; {meant}commands: {', '.join(known)}", ctx
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the verbs from the table, without importing any of them."""
        lines = {**studies(), **VERBS}
        rows = [(verb, lines[verb]) for verb in self.list_commands(ctx)]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


def _print_version(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    from hetsim.version import version

    click.echo(f"hetsim {version()}")
    ctx.exit()


@click.command(
    cls=LazyGroup,
    name="hetsim",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with: hetsim run quickstart",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Simulate neural networks on heterogeneous SoCs, and the schedulers that place them."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def entry(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit code; the only place that decides endings.

    ``arguments`` default to those of the process.
    """
    _never_fail_to_print()
    if arguments is None:
        look_seldom()
    with termination() as terminated:
        code = _run(arguments)
    return EXIT_TERMINATED if terminated and code == EXIT_INTERRUPTED else code


@contextlib.contextmanager
def termination() -> Iterator[list[int]]:
    """Makes SIGTERM an interruption like Ctrl-C; the list is empty until it comes.

    It comes once: a second one must not disturb what the first one made us tidy up.
    """
    came: list[int] = []

    def interrupt(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)
        came.append(number)
        raise KeyboardInterrupt

    usable = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM) if usable else None
    if before != signal.SIG_DFL:  # somebody else's business: ignored, or an embedding program's
        yield came
        return
    signal.signal(signal.SIGTERM, interrupt)
    try:
        yield came
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _run(arguments: Sequence[str] | None) -> int:
    try:
        returned = cli.main(
            args=None if arguments is None else list(arguments),
            prog_name="hetsim",
            standalone_mode=False,
        )
        sys.stdout.flush()
    except HetsimError as error:
        return _refuse(str(error))
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return EXIT_INTERRUPTED
    except click.ClickException as error:
        return _refuse(_usage_message(error))
    except BrokenPipeError:
        return _reader_left()
    except OSError as error:
        if error.errno not in _ENVIRONMENT:
            return _defect()
        place = f"{shortened(str(error.filename), 300)}: " if error.filename else ""
        return _refuse(f"{place}{error.strerror}")
    except SystemExit as stop:
        # Only click ends this way: 1 when it met a closed pipe, 0 after shell completion.
        return _reader_left() if stop.code else 0
    except Exception:
        return _defect()
    return returned if isinstance(returned, int) else 0


def _never_fail_to_print() -> None:
    """A terminal that lacks a character, or a file name that is no text, is no reason to stop."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _refuse(message: str) -> int:
    # Whatever stands in a file may be told, but not steer the terminal it is told on.
    plain = (c if c in "\n\t" or c.isprintable() else repr(c)[1:-1] for c in shortened(message))
    click.echo(f"error: {''.join(plain)}", err=True)
    return EXIT_INPUT


def _usage_message(error: click.ClickException) -> str:
    """One message out of click's: what is wrong, then where to read more."""
    message = error.format_message().rstrip()
    message = message[:1].lower() + message[1:]
    context = getattr(error, "ctx", None)
    if context is None:
        return message
    return f"{message}\n  see: {context.command_path} --help"


def _reader_left() -> int:
    """Ends quietly: whatever is still buffered has nowhere to go."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
    return EXIT_BROKEN_PIPE


def _defect() -> int:
    import traceback

    from hetsim.version import version

    traceback.print_exc()
    click.echo(
        f"this is a defect of hetsim {version()}, not of your input; "
        "please report it with the traceback above",
        err=True,
    )
    return EXIT_DEFECT
