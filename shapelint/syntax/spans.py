"""Converts places from the interpreter, whose columns count bytes, to spans, whose
columns count characters."""

from __future__ import annotations

from shapelint.facts.places import Site, Span
from shapelint.syntax.texts import Texts


def span_of(site: Site, texts: Texts) -> Span:
    """Convert a site to a span."""
    if site.column is None or site.end_line is None or site.end_column is None:
        return Span(site.file, site.line)
    first = texts.line_of(site.file, site.line)
    last = texts.line_of(site.file, site.end_line)
    return Span(
        site.file,
        site.line,
        count_characters(first, site.column),
        site.end_line,
        count_characters(last, site.end_column),
    )


def count_characters(line: str, byte_column: int) -> int:
    """Convert a column in UTF-8 bytes (from 1) to a column in characters (from 1)."""
    if line.isascii():
        return byte_column
    before = line.encode()[: byte_column - 1]
    return len(before.decode(errors="ignore")) + 1
