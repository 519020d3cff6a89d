"""VPUNN as a cost source: an operator becomes jobs of the tiles' arrays, and the model judges them.

As the compilers do that it was made for (Hunter et al., arXiv 2205.04586): the tiler makes
candidates, the model tells the time of each, and the shortest is taken.
"""
