"""Time limits on code that is not ours."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from hetsim.errors import SchedulerError


class _OutOfTime(BaseException):
    """Not an ``Exception``, so that a scheduler's own ``except Exception`` cannot swallow it."""


@contextmanager
def time_limit(seconds: float | None, what: str) -> Iterator[None]:
    """Raises ``SchedulerError`` in the body when it takes longer than ``seconds``.

    Works in the main thread of systems with interval timers (everywhere but Windows); elsewhere
    the body runs without a limit.
    """
    usable = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    if seconds is None or not usable:
        yield
        return

    def expire(_signal: int, _frame: FrameType | None) -> None:
        raise _OutOfTime

    before = signal.signal(signal.SIGALRM, expire)
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds)
            yield
        finally:  # the alarm may still go off in here, hence the try around it
            signal.setitimer(signal.ITIMER_REAL, 0.0)
    except _OutOfTime:
        raise SchedulerError(f"{what} took longer than its time limit of {seconds:g} s") from None
    finally:
        signal.signal(signal.SIGALRM, before)
