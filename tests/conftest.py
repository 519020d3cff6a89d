"""Here so that ``tests`` is found as a package: helpers are imported by their full name."""
