"""Dispatchers: who decides what a free unit runs next, a module each."""
