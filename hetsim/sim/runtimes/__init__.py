"""Runtimes: who starts which partition when; one file each, listed in ``registry``."""
