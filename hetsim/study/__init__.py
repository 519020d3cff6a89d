"""What runs many: sweeps, explorations, what-ifs, comparisons, tuning.

:mod:`.base` tells what a study is, a folder per kind holds it and its report, :mod:`.executors` are
where its points run. Imports everything but the command line.
"""
