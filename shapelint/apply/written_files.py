"""The files into which fixes are written: each is read once, compared, and replaced
whole or not at all. No torch here."""

from __future__ import annotations

import contextlib
import difflib
import io
import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shapelint.facts.errors import UsageError
from shapelint.syntax.notebooks import CELL, cell_sources, cells_of, join_cells
from shapelint.syntax.paths import shown_path
from shapelint.syntax.texts import decode, read_bytes

LINKS = 40
"""The most symbolic links followed from one path, as on Linux."""


@dataclass
class SourceFile:
    """The content of a file as it was read: its bytes, and its text with its own line
    ends and encoding."""

    path: Path
    read: bytes
    text: str
    encoding: str

    @classmethod
    def of(cls, file: str) -> SourceFile:
        """Read a Python file.

        Raises:
            UnreadableError: it cannot be read.
        """
        path = Path(os.path.realpath(file))
        read = read_bytes(str(path))
        text, encoding = decode(read)
        return cls(path, read, text, encoding)

    @property
    def seen(self) -> str:
        """The text as Python reads it, with newlines as line ends."""
        return io.StringIO(self.text, newline=None).read()

    def with_line_ends(self, text: str) -> str:
        """Restore the line ends in an edited text. Unchanged lines keep theirs, and new
        lines get the most frequent one."""
        lines = io.StringIO(self.text, newline="").readlines()
        end = _usual_end(lines)
        before = self.seen.splitlines(keepends=True)
        after = text.splitlines(keepends=True)
        # form feeds and the like end lines for str, not for files
        if len(before) != len(lines):
            return text.replace("\n", end)
        found: list[str] = []
        # With `autojunk` frequent lines, such as empty ones, count as changed.
        matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
        for what, start, stop, new_start, new_stop in matcher.get_opcodes():
            if what == "equal":
                found += lines[start:stop]
            else:
                found += [line.replace("\n", end) for line in after[new_start:new_stop]]
        return "".join(found)

    def content(self, text: str) -> bytes:
        """Encode an edited text as the bytes of the file."""
        return self.with_line_ends(text).encode(self.encoding)

    def parts(self, text: str) -> list[tuple[str, str, str]]:
        """The parts of a diff: a suffix for the file's name, the text before and the
        text after."""
        return [("", self.seen, text)]


def _usual_end(lines: list[str]) -> str:
    ends = Counter(line[len(line.rstrip("\r\n")) :] for line in lines)
    usual = [end for end, _ in ends.most_common(1)]
    return (usual[0] if usual else "") or "\n"


@dataclass
class NotebookFile(SourceFile):
    """A notebook. Its text is the code of its cells, in the form of
    `shapelint.syntax.notebooks`."""

    @classmethod
    def of(cls, file: str) -> NotebookFile:
        """Read a notebook.

        Raises:
            UsageError: it cannot be read.
        """
        path = Path(os.path.realpath(file))
        read = read_bytes(str(path))
        try:
            return cls(path, read, read.decode("utf-8"), "utf-8")
        except UnicodeDecodeError as error:
            raise UsageError(f"cannot read `{file}`: {error}") from None

    @property
    def seen(self) -> str:
        """The code of its cells."""
        return join_cells(self.text)

    def parts(self, text: str) -> list[tuple[str, str, str]]:
        """One part for each code cell."""
        cells = enumerate(zip(cell_sources(self.text), cells_of(text), strict=True), 1)
        return [(f"{CELL}{number}", before, after) for number, (before, after) in cells]

    def content(self, text: str) -> bytes:
        """The notebook with the sources of edited cells replaced, and nothing else
        changed.

        Raises:
            UsageError: its cells do not stand where they do since format 4.
        """
        whole = json.loads(self.text)
        cells = [
            cell for cell in whole.get("cells", []) if cell.get("cell_type") == "code"
        ]
        changes = self.parts(text)
        if len(cells) != len(changes):
            raise UsageError(
                f"`{self.path}` is a notebook of an old format; save it with Jupyter first"
            )
        layout = _layout_of(whole, self.text)
        for cell, (_, before, after) in zip(cells, changes, strict=True):
            if before != after:
                in_lines = isinstance(cell["source"], list)
                cell["source"] = after.splitlines(keepends=True) if in_lines else after
        return layout.dump(whole).encode()


@dataclass(frozen=True)
class _Layout:
    """The layout of a notebook's JSON."""

    indent: int | str | None
    is_ascii: bool
    end: str

    def dump(self, notebook_data: object) -> str:
        text = json.dumps(notebook_data, indent=self.indent, ensure_ascii=self.is_ascii)
        return text + self.end


def _layout_of(notebook_data: object, text: str) -> _Layout:
    """The layout that reproduces the text exactly, or else that of Jupyter, the first
    one."""
    end = text[len(text.rstrip()) :]
    layouts = [
        _Layout(indent, is_ascii, end)
        # Jupyter writes one blank, and characters beyond ASCII as they are.
        for indent in (1, 2, 4, "\t", None)
        for is_ascii in (False, True)
    ]
    fitting = (each for each in layouts if each.dump(notebook_data) == text)
    return next(fitting, layouts[0])


def source_file(file: str) -> SourceFile:
    """Read a Python file or a notebook.

    Raises:
        UsageError: it cannot be read.
    """
    return NotebookFile.of(file) if file.endswith(".ipynb") else SourceFile.of(file)


def require_unchanged(file: str, since: float) -> None:
    """Refuse to edit a file that was changed after `since` (seconds since the epoch),
    when it was checked.

    Raises:
        UsageError: it was changed.
    """
    if os.stat(file).st_mtime > since:
        raise UsageError(
            f"`{file}` was changed while it was checked; nothing was written"
        )


def difference(texts: dict[str, str], originals: dict[str, SourceFile]) -> str:
    """A unified diff of all changes, with paths relative to the working directory."""
    found: list[str] = []
    for file in sorted(texts):
        for part, before, after in originals[file].parts(texts[file]):
            name = f"{shown_path(file)}{part}"
            lines = difflib.unified_diff(_lines(before), _lines(after), name, name)
            # a cell never ends in a newline
            missing = "" if part else "\\ No newline at end of file\n"
            found += [_end_line(line, missing) for line in lines]
    return "".join(found)


def _end_line(line: str, note: str) -> str:
    """A line of a diff. If the file's last line has no line end, it is followed by the
    usual note."""
    return line if line.endswith("\n") else f"{line}\n{note}"


def _lines(text: str) -> list[str]:
    """Split a text into the lines of a file. Form feeds and similar characters end
    lines for str, but not for files and diffs."""
    return io.StringIO(text, newline="\n").readlines()


def write(texts: dict[str, str], originals: dict[str, SourceFile]) -> None:
    """Write every file, each whole or not at all. If one was changed in the meantime,
    none is written.

    Raises:
        UsageError: a file was changed since it was read, or cannot be written.
    """
    for file in texts:
        if read_bytes(str(originals[file].path)) != originals[file].read:
            raise UsageError(
                f"`{file}` was changed while it was checked; nothing was written"
            )
    # All are made before any is written: an encoding may lack a new character.
    contents = {file: originals[file].content(text) for file, text in texts.items()}
    for file, content in contents.items():
        write_whole(originals[file].path, content)


def write_whole(path: Path, content: bytes) -> None:
    """Write a regular file whole or not at all, through a temporary file beside it. Its
    permissions stay.

    Links are followed. Anything but a regular file (a device, a FIFO, `/dev/stdout`) is
    written to, never replaced.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        if _is_replaceable(path):
            _replace(Path(os.path.realpath(path)), content)
        else:
            with path.open("wb") as stream:
                stream.write(content)
    except OSError as error:
        raise UsageError(f"cannot write `{path}`: {error.strerror or error}") from None


def _is_replaceable(path: Path) -> bool:
    """Whether a path is a regular file or does not exist. Paths that stand for open
    descriptors are not replaceable."""
    if any(place.startswith(("/dev/", "/proc/")) for place in _follow_links(path)):
        return False
    return path.is_file() or not os.path.lexists(os.path.realpath(path))


def _follow_links(path: Path) -> Iterator[str]:
    """A path, and the targets of its links, one after the other."""
    place = os.path.abspath(path)
    yield place
    for _ in range(LINKS):
        if not os.path.islink(place):
            return
        place = os.path.abspath(
            os.path.join(os.path.dirname(place), os.readlink(place))
        )
        yield place


def _replace(path: Path, content: bytes) -> None:
    mode = path.stat().st_mode & 0o7777 if path.exists() else 0o666 & ~_umask()
    # In the same folder: a file is not replaced in one step across file systems.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".shapelint-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        # `mkstemp` makes files that only their owner can read.
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise


def _umask() -> int:
    """The permissions that new files do not get. The only way to read them is to set
    them."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
