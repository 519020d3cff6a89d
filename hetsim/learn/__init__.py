"""What is learned from tables of measurements: physical forms with few parameters, and regressors.

:mod:`.tables` reads and checks measurements, :mod:`.physical` fits forms to them, and
:mod:`.regressor` corrects a physical form by what is left over, after VPUNN (arXiv 2205.04586).
Imports :mod:`hetsim.forms` and what stands under it; cost models answer with what is learned here.
"""
