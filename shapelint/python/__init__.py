"""The interfaces for Python, pytest and notebooks."""
