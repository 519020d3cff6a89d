"""How sure a simulated time is: the uncertainty of units and kernels, carried through a plan."""
