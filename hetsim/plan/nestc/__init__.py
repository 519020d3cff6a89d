"""NEST-C partition plans: a flat map of strings with ``:``-separated lists, read and written.

NEST-C numbers its partitions ``p<N>`` in execution order and ends with a dummy partition, never
called, for nodes it could not map. :mod:`lists` knows the file, :mod:`names` how things are called
there, :mod:`writer` writes plans. Node names come from the compiler's own graph: where they are not
those of operators, :mod:`nodematch` and :mod:`nodewindows` propose which is which from what
:mod:`nodenames` reads out of them, :mod:`nodemap` holds the result, and :mod:`reader` makes a plan
of it and tells.
"""
