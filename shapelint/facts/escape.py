"""Makes other people's text (names, messages, source lines) safe to print: nothing in
it acts, and all of it is visible.

A terminal acts on control characters; characters that change the direction of text
mislead readers; a file in UTF-8 cannot hold lone surrogates, and XML can hold neither
those nor control characters; GitHub's runner acts on lines of a log. No torch, and
nothing else of the package."""

from __future__ import annotations

import json
import re
from typing import Any

# Tab and newline are left out: texts of several lines need them.
_CONTROL = "\x00-\x08\x0b-\x1f\x7f-\x9f"
_INVISIBLE = "\u00ad\u200b\u2028\u2029\u2060-\u2065\ufeff\ufff9-\ufffb"
_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"
_NO_CHARACTER = "\ud800-\udfff\ufffe\uffff"
_UNSAFE = re.compile(f"[{_CONTROL}{_INVISIBLE}{_BIDI}{_NO_CHARACTER}]")
_COLOUR_OR_UNSAFE = re.compile(rf"\x1b\[[\d;]*m|{_UNSAFE.pattern}")
_NAMES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

# What joins characters to one (as in emoji) is shown; but the runner's comparison of
# strings does not see it.
_JOIN = "[\u034f\u180b-\u180f\u200c\u200d\ufe00-\ufe0f\U000e0001-\U000e01ef]"
_BRACKET = re.compile(rf"(#{_JOIN}*#{_JOIN}*)\[")
_LINE_COMMAND = re.compile(
    rf"^((?:[^\S\n]|{_JOIN})*):(?={_JOIN}*:.*:{_JOIN}*:)", re.MULTILINE
)


def visible(text: str, colour: bool = False) -> str:
    r"""Escape the unsafe characters of a text, as in a Python string: `\x1b`, `\u202e`.
    Newlines and tabs stay.

    `colour`: sequences that only set a colour stay too. GitHub's runner takes
    `##[group]` for a command anywhere in a line, so that its bracket is written
    `\x5b`."""
    pattern = _COLOUR_OR_UNSAFE if colour else _UNSAFE
    return _BRACKET.sub(r"\1\\x5b", pattern.sub(_write_out, text))


def in_one_line(text: str) -> str:
    """Like `visible`, but newlines and tabs are escaped as well. For names, and for
    messages that must stay on one line."""
    return visible(text).replace("\n", "\\n").replace("\t", "\\t")


def printable(text: str, colour: bool = False) -> str:
    """Like `visible`, but also no line is one that GitHub's runner takes for a command:
    `::error::...`, with or without leading blanks.

    For everything that is printed as a whole. Only the format `github` prints such
    lines itself."""
    return _LINE_COMMAND.sub(r"\1\\x3a", visible(text, colour))


def json_text(value: Any, **layout: Any) -> str:
    """Serialise a value as JSON that holds the true strings. Characters that `visible`
    would escape are written as JSON escapes."""
    text = json.dumps(value, ensure_ascii=False, **layout)
    return _BRACKET.sub(
        r"\1\\u005b", _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    )


def _write_out(found: re.Match[str]) -> str:
    char = found[0]
    if len(char) > 1:
        return char  # a colour
    if char in _NAMES:
        return _NAMES[char]
    return f"\\x{ord(char):02x}" if char <= "\xff" else f"\\u{ord(char):04x}"
