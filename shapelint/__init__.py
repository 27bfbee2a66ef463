"""shapelint: walk a PyTorch model without data, and say what is wrong before training."""

__version__ = "0.1.0"
