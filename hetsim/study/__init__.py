"""What runs many: sweeps, explorations, what-ifs, comparisons, tuning.

A folder per kind holds a study and its report. Imports everything but the command line.
"""
