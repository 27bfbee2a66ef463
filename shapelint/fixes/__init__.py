"""Verifies the changes that rules propose: each is applied to a copy, and shown only if
it works."""
