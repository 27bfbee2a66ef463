"""Correct model files, broken on purpose at source level; eager PyTorch says which of
them run."""
