"""The plan: which operators run together, where and in which order; its files and its checks.

Imports costs (what can fuse, what a unit supports) and what stands under them.
"""
