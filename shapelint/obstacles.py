"""What keeps a walk from seeing more: the model's own `raise`, a call without a recovery, a flatten that is missing.

It is mended, or taken out, in a working copy, and that is walked.
"""

from __future__ import annotations

import ast
import os
import tokenize
from dataclasses import replace

from shapelint.diagnostics import Diagnostic, Edit, Fix, Severity, Span
from shapelint.fixes.heads import FLATTEN_TOO
from shapelint.fixes.verify import overlay_for
from shapelint.graph import Walked
from shapelint.syntax.calls import parsed
from shapelint.syntax.places import Site


def beyond(walked: Walked, found: list[Diagnostic]) -> dict[str, str] | None:
    """The texts with which one sees further than this walk; None where there is nothing further to see."""
    for item in found:
        if item.label == FLATTEN_TOO and item.fixes and len(item.fixes[0].edits) > 1:
            return overlay_for(item.fixes[0].edits[:1])
    for trace in walked.traces.values():
        raised = trace.raised
        if raised is None or not raised.sites:
            continue
        follows = raised.call is not None or any(True for _ in trace.failures)
        mended = _mended(found) if follows else None
        return mended or (_disarmed(raised.sites[0], found) if raised.call is None else None)
    return None


def _mended(found: list[Diagnostic]) -> dict[str, str] | None:
    """With the first fix of every error, those that overlap another left out; None where the input is what is wrong."""
    edits: list[Edit] = []
    if any(item.severity == Severity.ERROR and item.fixes and not item.fixes[0].edits for item in found):
        return None
    for item in found:
        chosen = next((fix.edits for fix in item.fixes if fix.edits), ())
        if item.severity == Severity.ERROR and chosen and overlay_for((*edits, *chosen)) is not None:
            edits += chosen
    return overlay_for(tuple(edits)) if edits else None


def _disarmed(site: Site, found: list[Diagnostic]) -> dict[str, str] | None:
    """With its first fix, else without the statement that raised; None where another input is all it takes.

    Nothing is moved where a statement is taken out: its place is filled, so that lines and columns stay.
    """
    own = [item for item in found if item.code == "SHP119" and item.fixes]
    if any(not fix.edits and "other findings stay" not in fix.cost for item in own for fix in item.fixes):
        return None
    if own and own[0].fixes[0].edits:
        return overlay_for(own[0].fixes[0].edits)
    source = parsed(site.file)
    for node in ast.walk(source.tree) if source is not None else ():
        if isinstance(node, (ast.Raise, ast.Assert)) and node.lineno <= site.line <= (node.end_lineno or 0):
            assert source is not None
            return {os.path.abspath(site.file): _without(source.text, node)}
    return None


def _without(text: str, node: ast.Raise | ast.Assert) -> str:
    """The text with `pass` and blanks in place of a statement, its line breaks kept."""
    lines = text.split("\n")
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    head = lines[first].encode()[: node.col_offset].decode()
    tail = lines[last].encode()[node.end_col_offset or 0 :].decode()
    lines[first : last + 1] = [head + "pass" + tail, *[""] * (last - first)]
    return "\n".join(lines)


def together(earlier: list[Diagnostic], later: list[Diagnostic], mended: dict[str, str]) -> list[Diagnostic]:
    """The findings of an earlier pass and those that only a later one could see.

    An error seen only beyond another counts where a change of the file mends it: else it may follow from the first.
    """
    if not earlier:
        return later
    known = {(item.code, item.span, item.message) for item in earlier}
    found = list(earlier)
    for item in later:
        fixes = tuple(fix for fix in item.fixes if _still_fits(fix, mended))
        is_new = (item.code, item.span, item.message) not in known
        if is_new and (item.severity != Severity.ERROR or any(fix.edits for fix in item.fixes)):
            found.append(_placed(replace(item, fixes=fixes), mended))
    return sorted(found, key=lambda item: item.sort_key)


def _placed(item: Diagnostic, mended: dict[str, str]) -> Diagnostic:
    """The finding without columns where its line is another in the file as it lies on disk."""
    span = item.span
    if span is None or _same_lines(span.file, span.line, span.end_line or span.line, mended):
        return item
    return replace(item, span=Span(span.file, span.line))


def _still_fits(fix: Fix, mended: dict[str, str]) -> bool:
    """Whether a fix found in a working copy can be made in the file as it lies on disk."""
    return all(_same_lines(edit.file, edit.start.line, edit.end.line, mended) for edit in fix.edits)


def _same_lines(file: str, first: int, last: int, mended: dict[str, str]) -> bool:
    text = mended.get(os.path.abspath(file))
    if text is None:
        return True
    try:
        with tokenize.open(file) as handle:
            lines = handle.read().split("\n")
    except (OSError, SyntaxError, UnicodeDecodeError):
        return False
    return lines[first - 1 : last] == text.split("\n")[first - 1 : last]
