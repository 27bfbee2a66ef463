"""One target, start to end, in the worker."""
