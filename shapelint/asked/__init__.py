"""The user's request: settings, target and inputs, and how they are sent to a worker.
No torch."""
