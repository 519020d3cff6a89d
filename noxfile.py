"""The tasks of a maintainer: ``nox -s TASK``, or ``nox -l`` for what there is.

``nox`` alone runs what takes minutes: lint, types, quick tests, documentation. Each task installs
what it needs into an environment of its own; ``nox -R -s TASK`` uses that again as it is.
"""

from __future__ import annotations

from pathlib import Path

import nox

nox.options.sessions = ["lint", "types", "quick", "docs"]
nox.options.reuse_existing_virtualenvs = True
nox.needs_version = ">=2024.4"

QUIET = {"NO_MKDOCS_2_WARNING": "1"}


@nox.session
def tests(session: nox.Session) -> None:
    """All tests; arguments after -- go to pytest."""
    session.install("-e", ".[test]")
    session.run("pytest", *session.posargs)


@nox.session
def quick(session: nox.Session) -> None:
    """The tests that take seconds."""
    session.install("-e", ".[test]")
    session.run("pytest", "-m", "not slow", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Lint and format, as .ci/run checks them."""
    session.install("ruff>=0.6")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Type hints."""
    session.install("-e", ".[dev]")
    session.run("mypy", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation, strictly, into build/site."""
    session.install("-e", ".[docs]")
    session.run("mkdocs", "build", "--strict", *session.posargs, env=QUIET)


@nox.session(name="docs-serve")
def docs_serve(session: nox.Session) -> None:
    """The documentation at http://127.0.0.1:8000, built anew when a file changes."""
    session.install("-e", ".[docs]")
    session.run("mkdocs", "serve", *session.posargs, env=QUIET)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Damaged files of every kind: nox -s fuzz -- --minutes 30."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "tests.fuzz", *session.posargs)


@nox.session
def kills(session: nox.Session) -> None:
    """Verbs killed at any moment: nox -s kills -- --kills 200."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "tests.fuzz.kills", *session.posargs)


@nox.session
def benchmarks(session: nox.Session) -> None:
    """How fast hetsim is; arguments after -- name benchmarks."""
    session.install("-e", ".[test]")
    session.run("python", "benchmarks/run.py", *session.posargs)


@nox.session
def wheel(session: nox.Session) -> None:
    """A wheel in dist/, tried outside the checkout."""
    session.run("pip", "wheel", "--no-deps", "--wheel-dir", "dist", ".")
    newest = max(Path("dist").glob("hetsim-*.whl"), key=lambda path: path.stat().st_mtime)
    session.install("--force-reinstall", str(newest))
    session.chdir(session.create_tmp())
    session.run("hetsim", "run", "quickstart", "--no-files")


@nox.session(name="all")
def everything(session: nox.Session) -> None:
    """Everything a change must pass, in a fresh environment."""
    session.run(".ci/run", external=True)
