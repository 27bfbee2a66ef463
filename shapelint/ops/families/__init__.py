"""The records of all ops, one file for each family. Each file lists them in `OPS`."""
