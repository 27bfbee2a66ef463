"""What ends a walk although more could be seen: the model's own `raise` or `assert`, mended or taken out of a copy."""

from __future__ import annotations

import ast
import os
import tokenize
from dataclasses import replace

from shapelint.diagnostics import Diagnostic, Fix, Severity
from shapelint.fixes.verify import overlay_for
from shapelint.graph import Walked
from shapelint.syntax.calls import parsed


def disarmed(walked: Walked, found: list[Diagnostic]) -> dict[str, str] | None:
    """The file with its first fix, else without the statement that raised; None where nothing raised, or an input does.

    Nothing is moved where a statement is taken out: its place is filled, so that lines and columns stay.
    """
    for trace in walked.traces.values():
        raised = trace.raised
        if raised is None or raised.call is not None or not raised.sites:
            continue
        own = [item for item in found if item.code == "SHP119" and item.fixes]
        if any(not fix.edits and "other findings stay" not in fix.cost for item in own for fix in item.fixes):
            return None
        if own and own[0].fixes[0].edits:
            return overlay_for(own[0].fixes[0].edits)
        site = raised.sites[0]
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
            found.append(replace(item, fixes=fixes))
    return sorted(found, key=lambda item: item.sort_key)


def _still_fits(fix: Fix, mended: dict[str, str]) -> bool:
    """Whether a fix found in a working copy can be made in the file as it lies on disk."""
    for edit in fix.edits:
        text = mended.get(os.path.abspath(edit.file))
        if text is None:
            continue
        try:
            with tokenize.open(edit.file) as handle:
                lines = handle.read().split("\n")
        except (OSError, SyntaxError, UnicodeDecodeError):
            return False
        if lines[edit.start.line - 1 : edit.end.line] != text.split("\n")[edit.start.line - 1 : edit.end.line]:
            return False
    return True
