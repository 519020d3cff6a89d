"""Python's collector of cyclic garbage, told to look less often.

Importing libraries and simulating make hundreds of thousands of objects that stay, and hardly any
cycles. Looking through them after every few hundred new ones takes a sixth of a run.
"""

from __future__ import annotations

import gc

NEW_OBJECTS = 50_000
"""Between two looks at the youngest; Python's own number is 700 to 2000."""


def look_seldom() -> None:
    """For processes that are ours alone: the collector belongs to whoever owns the process."""
    gc.set_threshold(NEW_OBJECTS, 10, 10)
