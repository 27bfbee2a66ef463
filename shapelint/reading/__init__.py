"""Training code read and not run: which model is in which mode where it is called, and
what its result is for.

No torch here, and no code of the user's is executed.
"""
