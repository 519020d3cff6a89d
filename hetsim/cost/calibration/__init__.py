"""Fitting cost models to measurements, and measuring how wrong they are on rows kept aside."""
