"""Texts that would act where they are printed, and what must hold of any output that
has them."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
import xml.etree.ElementTree as ET
from typing import Any

HOSTILE = {
    "escape": "\x1b[2J\x1b]0;title\x07",
    "other controls": "a\rb\x08\x0b\x0c\x7f\x01",
    "8-bit controls": "\x9b2J\x85\x9d0;title\x9c",
    "newline": "a\n::error file=x::pwned",
    "command": "::error file=x::pwned",
    "command after blanks": " \u00a0::warning::pwned",
    "command after what is not compared": "\u200d::warning::pwned",
    "old command": "a ##[add-mask]pwned",
    "old command with a joiner": "#\u200d#[add-mask]pwned",
    "direction": "\u202eab\u2066c\u200f\u061c",
    "separators": "a\u2028::error::pwned\u2029b",
    "byte of no character": "\udcff",
    "half of a pair": "\ud83d",
    "no characters": "\ufffe\uffff\ufeff",
    "markup": "<script>|\\|``x`]]>&amp;",
    "percent": "%0A::error::x,line=2",
}
DIRECTIONS = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def acting(text: str) -> list[str]:
    """Characters of a text that act, by what Unicode says of them."""
    return [
        char
        for char in text
        if (
            unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")
            and char not in "\n\t"
        )
        or unicodedata.bidirectional(char) in DIRECTIONS
        or char in "\u061c\u200e\u200f\ufffe\uffff"
    ]


def commands(text: str) -> list[tuple[str, str]]:
    """Name and data of what GitHub's runner would take for commands: `::` first in a
    line, `##[` anywhere in one.

    Its comparison goes by the rules of a language, for which joiners and marks of
    variation are not there."""
    found = []
    for line in re.split("\r\n|\r|\n", re.sub("[\u200c\u200d\ufe00-\ufe0f]", "", text)):
        new = re.match(r"\s*::([\w-]+)(?: .*?)?::(.*)", line)
        old = re.search(r"##\[([\w-]+)[^]]*\](.*)", line)
        if new or old:
            name, data = (new or old).groups()  # type: ignore[union-attr]
            found.append(
                (
                    name,
                    data.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%"),
                )
            )
    return found


def check_text(text: str, kind: str, hostile: str) -> None:
    """What must hold of any output, and what the format's own readers say."""
    assert acting(text) == []
    text.encode("utf-8")
    if kind != "github":
        assert commands(text) == []
    if kind in ("json", "sarif", "gitlab"):
        assert any(hostile in each for each in strings_of(json.loads(text)))
    if kind in ("junit", "svg"):
        ET.fromstring(text)
    if kind in ("html", "markdown", "svg"):
        outside = re.sub(r"```+text\n.*?\n```+", "", text, flags=re.DOTALL)
        assert "<script>|" not in re.sub("`+ .*? `+", "", outside)
    if kind == "html":
        data = re.findall(r'<script type="application/json">(.*?)</script>', text)
        assert data
        assert acting("".join(strings_of([json.loads(each) for each in data]))) == []
    if kind == "csv":
        assert {len(row) for row in csv.reader(io.StringIO(text))} == {10}


def strings_of(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    return (
        [each for item in value for each in strings_of(item)]
        if hasattr(value, "__iter__")
        else []
    )
