"""The plain data of shapelint: what was walked and what was found. Imports nothing else
of the package."""
