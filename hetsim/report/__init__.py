"""What people read: a result as figures, a page, files and text.

A folder per medium; what they share (colours, lanes, words) stands here. Imports analysis and what
stands under it; nothing below knows that reports exist.
"""
