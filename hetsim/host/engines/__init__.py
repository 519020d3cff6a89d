"""The runtimes that measure and run networks on this machine, one module each."""
