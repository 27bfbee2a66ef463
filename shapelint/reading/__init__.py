"""Reads training code without running it: which mode a model is in when it is called,
and what its result is used for.

No torch here, and no code of the user's is executed."""
