"""Parses `--output-format`: the formats to print, and the file of each."""

from __future__ import annotations

import os
from collections.abc import Iterable

from shapelint.asked.formats import CHECK_FORMATS
from shapelint.facts.errors import UsageError, suggest

Output = tuple[str, str | None]
"""A format and its file; None stands for stdout."""


def parse_outputs(
    given: tuple[str, ...], output_file: str | None, default: str
) -> list[Output]:
    """Parse words such as `full` and `sarif=report.sarif` into formats and files.

    Raises:
        UsageError: a format does not exist, or two would be written to the same place.
    """
    outputs = [_parse_output(word) for word in given or (default,)]
    bare = [name for name, file in outputs if file is None]
    if output_file is not None:
        if len(bare) != 1:
            raise UsageError(
                "`--output-file` is for one format; write `--output-format "
                "sarif=report.sarif` for more"
            )
        outputs = [(name, file or output_file) for name, file in outputs]
    elif len(bare) > 1:
        raise UsageError(
            f"`{bare[0]}` and `{bare[1]}` would both go to stdout; write "
            f"`{bare[1]}=FILE` for one of them"
        )
    _require_writable(file for _, file in outputs if file is not None)
    return outputs


def _parse_output(word: str) -> Output:
    name, equals, file = word.partition("=")
    if name not in CHECK_FORMATS:
        hint = suggest(name, CHECK_FORMATS, f"; there are {', '.join(CHECK_FORMATS)}")
        raise UsageError(f"no output format `{name}`{hint}")
    if equals and not file:
        raise UsageError(f"`--output-format {word}` names no file after the `=`")
    return name, file or None


def _require_writable(files: Iterable[str]) -> None:
    """Refuse two reports in the same file, and a report that would overwrite a source
    file."""
    seen: set[str] = set()
    for file in map(os.path.realpath, files):
        if file in seen:
            raise UsageError(
                f"two formats would be written to `{os.path.relpath(file)}`"
            )
        seen.add(file)
    for file in seen:
        if file.endswith((".py", ".ipynb")):
            raise UsageError(
                f"`{os.path.relpath(file)}` is the name of a source file; a report "
                "is not written there"
            )
