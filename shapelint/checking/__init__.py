"""Checks one target from start to end, in the worker."""
