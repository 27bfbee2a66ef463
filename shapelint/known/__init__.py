"""Findings that are not shown: suppression comments and the baseline. No torch."""
