"""`python -m shapelint`: the console script by another name."""

import os
import sys

is_here = bool(sys.path) and os.path.realpath(
    sys.path[0] or os.curdir
) == os.path.realpath(os.getcwd())
if is_here and not getattr(sys.flags, "safe_path", False):
    del sys.path[
        0
        # `-m` puts the working directory there; a script's file has nothing to do with
        # it
    ]

from shapelint.cli import main  # noqa: E402 - nothing of the working directory is imported

if __name__ == "__main__":
    main()
