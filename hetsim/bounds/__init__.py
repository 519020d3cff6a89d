"""What no plan goes below: floors of single operators, their relaxation, and the makespan's bounds.

Imports costs, lowering and what stands under them; schedulers, reports and the runs import it.
"""
