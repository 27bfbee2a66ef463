"""Findings that are known and not shown: suppression comments and the baseline. No
torch."""
