"""`python -m benchmarks.reading`: how long 1,000 files of 200 lines of training code
take to be read."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.programs import eval_mode, training

FILES, LINES = 1000, 200


def programs() -> list[str]:
    """Every program of the tests, made 200 lines long by repeating it under other
    names."""
    groups = [
        eval_mode.NO_EVAL,
        eval_mode.EVAL_IS_THERE,
        eval_mode.NO_NO_GRAD,
        eval_mode.NO_GRAD_IS_THERE,
    ]
    groups += [
        training.NOT_RESTORED,
        training.RESTORED,
        training.PILING_UP,
        training.ZEROED,
    ]
    found = []
    for source in (source for group in groups for source in group.values()):
        lines = source.split("\n")
        while len(lines) < LINES:
            body = "\n".join(
                f"    {line}" if line else line
                for line in source.split("\n")
                if "import *" not in line
            )
            lines += (
                f"\n\ndef again_{len(lines)}(train_loader, val_loader):\n{body}".split(
                    "\n"
                )
            )
        found.append("\n".join(lines[:LINES]))
    return [text for text in found if _is_python(text)]


def _is_python(text: str) -> bool:
    try:
        compile(text, "program", "exec")
    except SyntaxError:
        return False
    return True


def main() -> None:
    """Write the files, read them as a user would, print seconds and what a bare start
    takes."""
    texts = programs()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(FILES):
            (folder / f"train_{number}.py").write_text(texts[number % len(texts)])
        command = [
            sys.executable,
            "-X",
            "importtime",
            "-m",
            "shapelint",
            "check",
            name,
            "--output-format",
            "concise",
        ]
        started = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - started
        started = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "shapelint", "--version"],
            capture_output=True,
            check=False,
        )
        bare = time.monotonic() - started
    torch = any(line.rstrip().endswith("| torch") for line in done.stderr.splitlines())
    findings = sum("SHP" in line for line in done.stdout.splitlines())
    print(
        f"{FILES:,} files of {LINES} lines ({len(texts)} different): {seconds:.1f} s, {findings:,} findings"
    )
    print(f"torch imported: {'yes' if torch else 'no'}")
    print(f"{seconds / bare:.0f} times what `shapelint --version` takes ({bare:.2f} s)")


if __name__ == "__main__":
    main()
