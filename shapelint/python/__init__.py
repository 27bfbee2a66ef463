"""The interface for Python, pytest and notebooks."""
