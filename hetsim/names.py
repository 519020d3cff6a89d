"""Near misses: what somebody who wrote an unknown name probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: object, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known name most like ``word``, if one is at least ``cutoff`` (0 to 1) like it."""
    names = list(known)
    folded = {name.casefold(): name for name in reversed(names)}
    found = difflib.get_close_matches(str(word).casefold(), list(folded), n=1, cutoff=cutoff)
    return folded[found[0]] if found else None


def suggest(word: object, known: Iterable[str], what: str = "known") -> str:
    """``"did you mean 'x'? known: x, y, z"``: the hint that goes with an unknown name."""
    names = list(known)
    guess = nearest(word, names)
    listed = f"{what}: {', '.join(names) or '(none)'}"
    return f"did you mean {guess!r}? {listed}" if guess else listed
