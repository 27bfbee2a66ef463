"""`python -m shapelint`: the console script by another name."""

from shapelint.cli import main

if __name__ == "__main__":
    main()
