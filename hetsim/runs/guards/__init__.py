"""What stands between a run and what would break it.

:mod:`.limits` ends a scheduler that thinks too long, :mod:`.shape` refuses what is no plan,
:mod:`.memory` a network that does not fit the SoC, and :mod:`.together` several that do not.
"""
