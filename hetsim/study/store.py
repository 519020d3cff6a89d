"""The results store of a study: one SQLite file that survives being killed at any moment.

Every outcome is a transaction of its own (write-ahead log), keyed by the hash of everything that
matters (:meth:`hetsim.study.point.PointBench.key`). So the store can hold the points of many
studies of one scenario, none is ever run twice, and killing the process loses only the runs under
way. One process writes at a time; others may read.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from hetsim.drafts import hold, leave
from hetsim.errors import ResultsError
from hetsim.study.outcome import Outcome
from hetsim.study.point import SCHEMA, Point

FORMAT = f"hetsim.study/{SCHEMA}"

_TABLES = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outcomes (
    key TEXT PRIMARY KEY, model TEXT NOT NULL, scheduler TEXT NOT NULL, design TEXT NOT NULL,
    outcome TEXT NOT NULL, error TEXT
) WITHOUT ROWID;
"""


class Store:
    """Outcomes by key. Use as a context manager, or :meth:`close` it."""

    def __init__(self, path: Path, scenario: str) -> None:
        """Opens the store at ``path`` for ``scenario``, or starts one.

        Raises:
            ResultsError: the file is something else, of another hetsim or another scenario,
                in use by another study, or cannot be written.
        """
        self.path = path
        self._lock: int | None = None
        self._database: sqlite3.Connection | None = None
        try:
            with self._explaining():
                path.parent.mkdir(parents=True, exist_ok=True)
                self._lock = hold(_lock_of(path))
                if self._lock is None:
                    raise ResultsError(
                        f"store {path} is in use by another study",
                        hint="wait for it to end, or choose another file with --store",
                    )
                self._database = sqlite3.connect(path, isolation_level=None, timeout=30.0)
                self._check(scenario)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file; what was put is safe already."""
        if self._database is not None:
            self._database.close()
        if self._lock is not None:
            leave(_lock_of(self.path), self._lock)
        self._database = self._lock = None

    def get(self, key: str) -> Outcome | None:
        """The outcome of a point that ran, or ``None``.

        Raises:
            ResultsError: the store cannot be read or is damaged.
        """
        with self._explaining():
            row = self._db.execute("SELECT outcome FROM outcomes WHERE key = ?", (key,)).fetchone()
            return None if row is None else Outcome.from_json(row[0], f"store {self.path}")

    def put(self, key: str, point: Point, outcome: Outcome) -> None:
        """Keeps an outcome; once this returns, nothing that happens to the process can lose it.

        Raises:
            ResultsError: the disk is full or the file cannot be written; the store is intact.
        """
        design = json.dumps(dict(point.design), default=str)
        row = (key, point.model, point.scheduler, design, outcome.to_json(), outcome.error)
        with self._explaining():
            self._db.execute("INSERT OR REPLACE INTO outcomes VALUES (?, ?, ?, ?, ?, ?)", row)

    def forget_failed(self) -> int:
        """Removes the points that failed, so that they run again; returns how many they were.

        Raises:
            ResultsError: the store cannot be written.
        """
        with self._explaining():
            return self._db.execute("DELETE FROM outcomes WHERE error IS NOT NULL").rowcount

    def __len__(self) -> int:
        with self._explaining():
            return int(self._db.execute("SELECT count(*) FROM outcomes").fetchone()[0])

    @property
    def _db(self) -> sqlite3.Connection:
        if self._database is None:
            raise ResultsError(f"store {self.path} is closed")
        return self._database

    def _check(self, scenario: str) -> None:
        from hetsim.version import version

        ours = {"format": FORMAT, "hetsim": version(), "scenario": scenario}
        tables = {row[0] for row in self._db.execute("SELECT name FROM sqlite_master")}
        if tables and "meta" not in tables:
            raise ResultsError(
                f"{self.path} is a database, but not a hetsim study",
                hint="choose another file with --store",
            )
        self._db.execute("PRAGMA journal_mode = WAL")
        # With a write-ahead log this survives the death of the process; FULL would only add
        # the loss of power, at several milliseconds a point.
        self._db.execute("PRAGMA synchronous = NORMAL")
        if not tables:
            self._db.executescript(f"BEGIN;{_TABLES}COMMIT;")
        found = dict(self._db.execute("SELECT name, value FROM meta"))
        if not found:
            with self._transaction():
                self._db.executemany("INSERT INTO meta VALUES (?, ?)", ours.items())
            return
        for name, value in ours.items():
            if found.get(name) != value:
                what = {"format": "has format", "hetsim": "was made by hetsim"}.get(
                    name, "belongs to scenario"
                )
                raise ResultsError(
                    f"store {self.path} {what} {found.get(name)!r}; this is {value!r}",
                    hint="choose another file with --store, or move this one away",
                )

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextlib.contextmanager
    def _explaining(self) -> Iterator[None]:
        """Database errors in words that tell what to do."""
        try:
            yield
        except sqlite3.Error as error:
            reason = str(error)
            hint = "choose another file with --store"
            if "full" in reason:
                reason = "the disk is full"
                hint = "free some space and give the same command again: it goes on where it was"
            elif isinstance(error, sqlite3.DatabaseError) and "not a database" in reason:
                reason = "it is not a database"
            raise ResultsError(f"store {self.path}: {reason}", hint=hint) from error
        except OSError as error:
            place = error.filename or self.path
            raise ResultsError(
                f"store {self.path}: {place}: {error.strerror}",
                hint="choose another file with --store",
            ) from error
        except ValueError as error:
            raise ResultsError(f"store {self.path} is damaged: {error}") from error


def _lock_of(path: Path) -> Path:
    return path.parent / f".{path.name}.lock"
