"""Sizes that should be equal, solved for the numbers they were computed from.

What arrives and what is taken are expressions over literals of the user's files. A change
is then not fitted but follows: a literal for which both come out equal, or one side
written in the words of the other."""

from __future__ import annotations

import ast
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from shapelint import ops
from shapelint.changes import weights
from shapelint.changes.failed_sizes import find_required_pairs
from shapelint.changes.layer_numbers import find_parameter
from shapelint.changes.other_values import constant
from shapelint.changes.text_at_place import write_text
from shapelint.changes.window_values import WINDOW
from shapelint.facts.findings import Candidate, ChangeKind
from shapelint.facts.graph import Call, Trace
from shapelint.facts.numbers import (
    Dimension,
    Fixed,
    Literal,
    Operation,
    Origin,
    Read,
    Scope,
    ends_of,
    origin_of,
    value_of,
    without_reads,
)
from shapelint.facts.walked_target import Walked
from shapelint.syntax.calls import CallExpression, call_at
from shapelint.syntax.edits import replacement
from shapelint.syntax.origins import Place
from shapelint.syntax.trees import ParsedFile, parse_file
from shapelint.syntax.walked_calls import find_constructor_call

LARGEST = 10**7
"""Sizes below this are solutions: none that a model has is larger."""

NEAR = 3
"""Numbers beside the root of a straight line that are tried: a division by whole numbers
bends it."""

_COUNTS = re.compile(
    r"(num_?|n_?)?(class(es)?|cls|labels?|outputs?|heads?|layers?|blocks?|stages?|groups?"
    r"|batch(_?size)?|bs)$|nc$|depth$",
    re.IGNORECASE,
)
"""Names of numbers that say what a model is for, or how much of it there is, and that no
mismatch of sizes is a reason to change."""


_WAYS = {
    *WINDOW,
    *("upscale_factor", "downscale_factor", "scale_factor", "size", "output_size"),
    *("dim", "dims", "start_dim", "end_dim"),
}
"""Names of numbers that say how something is done. Another one changes what a model
computes wherever it works."""


@dataclass(frozen=True)
class Mismatch:
    """Two sizes of a failed call that should be equal, and where they come from."""

    arrives: Origin
    takes: Origin

    def gap(self, at: Literal, value: int) -> float | None:
        """How far both are apart with another number at a literal."""
        given: dict[Origin, int | float] = {at: value}
        one, other = value_of(self.arrives, given), value_of(self.takes, given)
        return None if one is None or other is None else one - other

    def solve(self, at: Literal) -> int | None:
        """The number at a literal with which both are equal."""
        if not isinstance(at.value, int):
            return None
        here = self.gap(at, at.value)
        further = self.gap(at, at.value * 2 + 8)
        if not here or further is None:
            return None
        slope = (further - here) / (at.value + 8)
        if not slope:
            return None
        root = round(at.value - here / slope)
        for value in (root, *_around(root), *self._powers(at.value)):
            if 0 < value < LARGEST and value != at.value and self.gap(at, value) == 0:
                return value
        return None

    def _powers(self, value: int) -> Iterator[int]:
        """What a side could be that is squared or cubed on the way."""
        one, other = value_of(self.arrives, {}), value_of(self.takes, {})
        if not one or not other:
            return
        for ratio in (one / other, other / one):
            for degree in (2, 3):
                yield round(value * abs(ratio) ** (1 / degree))


def _around(root: int) -> Iterator[int]:
    for step in range(1, NEAR + 1):
        yield from (root + step, root - step)


def mismatches_of(call: Call) -> list[Mismatch]:
    """The pairs of sizes of a failed call of which both origins are known."""
    found = []
    for arrives, takes in find_required_pairs(call):
        one = origin_of(arrives) or Fixed(arrives)
        other = origin_of(takes) or Fixed(takes)
        if not (isinstance(one, Fixed) and isinstance(other, Fixed)):
            found.append(Mismatch(one, other))
    return found


def solved_candidates(walked: Walked, trace: Trace, call: Call) -> Iterator[Candidate]:
    """What follows from the origins of a failed call's sizes: words first, then single
    literals."""
    seen: set[object] = set()
    for mismatch in mismatches_of(call):
        for candidate in (
            *_in_words(walked, call, mismatch),
            *_in_numbers(walked, call, mismatch),
        ):
            if candidate.edits not in seen:
                seen.add(candidate.edits)
                yield candidate
        for candidate in _in_reads(walked, call, mismatch):
            if candidate.edits not in seen:
                seen.add(candidate.edits)
                yield candidate
                yield from _everywhere(walked, trace, candidate)


def _everywhere(
    walked: Walked, trace: Trace, candidate: Candidate
) -> Iterator[Candidate]:
    """The same dimension read wherever that mends another failed call: people copy the
    line for the cosine to that for the sine."""
    alike = [
        other
        for call in trace.failures
        for mismatch in mismatches_of(call)
        for other in _in_reads(walked, call, mismatch)
        if other.title == candidate.title
    ]
    edits = (*candidate.edits, *(edit for other in alike for edit in other.edits))
    together = tuple(dict.fromkeys(edits))
    if len(together) > 1:
        count = len(together) - 1
        where = f"{count} other place{'s' if count > 1 else ''}"
        yield replace(
            candidate,
            title=f"{candidate.title} and the same in {where}",
            edits=together,
            group=f"{candidate.group} everywhere",
        )


# -- another dimension read ---------------------------------------------------------------


def _in_reads(walked: Walked, call: Call, mismatch: Mismatch) -> Iterator[Candidate]:
    """Each `x.shape[0]` for which both sides come out equal with another dimension."""
    ends = [*ends_of(mismatch.takes), *ends_of(mismatch.arrives)]
    for end in dict.fromkeys(ends):
        if not isinstance(end, Read):
            continue
        source = parse_file(end.file, walked.texts)
        index = find_index(source, end) if source is not None else None
        if source is None or index is None:
            continue
        for at, size in enumerate(end.sizes):
            if at == end.at:
                continue
            wanted = value_of(size, {})
            given: dict[Origin, int | float] = {end: wanted or 0}
            one = value_of(mismatch.arrives, given)
            if one is None or one != value_of(mismatch.takes, given):
                continue
            text = str(at)
            likely = weights.SOLVED_READ
            if without_reads(size) in (
                without_reads(mismatch.arrives),
                without_reads(mismatch.takes),
            ):
                likely += weights.SOLVED_SAME_MEANING
            shown = source.parents.get(index)
            whole = source.segment(shown) if isinstance(shown, ast.expr) else ""
            old = source.segment(index)
            head, _, tail = whole.rpartition(old)
            yield Candidate(
                f"`{head}{text}{tail}`",
                (replacement(source, index, text),),
                call.layer,
                group=f"read {end.line}:{end.column}",
                likely=likely,
                says=f"`{text}` fits",
                kind=ChangeKind.SOLVED,
            )


def find_index(source: ParsedFile, end: Read) -> ast.expr | None:
    """The index with which a size is read: the 0 of `x.shape[0]` or of `x.size(0)`."""
    for node in ast.walk(source.tree):
        if not isinstance(node, (ast.Attribute, ast.Call)):
            continue
        if (node.lineno, node.col_offset + 1) != (end.line, end.column):
            continue
        if isinstance(node, ast.Call):
            is_size = isinstance(node.func, ast.Attribute) and node.func.attr == "size"
            if is_size and len(node.args) == 1 and _is_at(node.args[0], end):
                return node.args[0]
            continue
        parent = source.parents.get(node)
        if node.attr != "shape" or not isinstance(parent, ast.Subscript):
            continue
        index: ast.expr = parent.slice
        if _is_at(index, end):
            return index
    return None


def _is_at(index: ast.expr, end: Read) -> bool:
    value = constant(index)
    return value is not None and value % len(end.sizes) == end.at


# -- one side written in the words of the other -----------------------------------------


def _in_words(walked: Walked, call: Call, mismatch: Mismatch) -> Iterator[Candidate]:
    """The argument of the failing layer that says what it takes, written as what
    arrives is computed."""
    made = find_constructor_call(walked, call) if call.is_module else None
    scopes = walked.scopes.get(call.module_path, ()) if call.is_module else ()
    if made is None or not scopes:
        return
    op = ops.of(call.op)
    for name in op.takes:
        value = call.attributes.get(name)
        node = made.argument(op.arguments.index(name), name)
        if node is None or value != value_of(mismatch.takes, {}):
            continue
        for level, (place, written) in enumerate(callers_of(made, node, call)):
            scope = scopes[level] if level < len(scopes) else {}
            text = write_in(scope, mismatch.arrives)
            text = text or _unread_parameter(place, scope, mismatch.arrives)
            if text is None or text == place.source.segment(written):
                continue
            yield Candidate(
                f"`{_call_with(place, written, text)}`",
                (place.replace_node(written, text),),
                call.layer,
                group=f"{name} here",
                likely=weights.SOLVED_IN_WORDS,
                says=f"`{text}` fits as `{name}`",
                kind=ChangeKind.SOLVED,
            )


def callers_of(
    made: CallExpression, written: ast.expr, call: Call
) -> Iterator[tuple[CallExpression, ast.expr]]:
    """A layer's argument, and where it is a parameter handed in from a call further
    out, that call's, innermost first."""
    place, node = made, written
    yield place, node
    for site in call.definition[1:]:
        outer = call_at(site, made.source.texts)
        parameter = find_parameter(place, node)
        if outer is None or parameter is None:
            return
        handed_in = outer.argument(*parameter)
        if handed_in is None:
            return
        place, node = outer, handed_in
        yield place, node


def _unread_parameter(
    place: CallExpression, scope: Scope, origin: Origin
) -> str | None:
    """A parameter of the function around a call that has the value, and that nothing
    reads: it was made for it."""
    function = place.source.find_enclosing(place.node, ast.FunctionDef)
    if function is None:
        return None
    read = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    parameters = [*function.args.posonlyargs, *function.args.args]
    value = value_of(origin, {})
    names = [each.arg for each in (*parameters, *function.args.kwonlyargs)]
    fitting = [name for name in names if name not in read and scope.get(name) == value]
    return fitting[0] if len(fitting) == 1 else None


def write_in(scope: Scope, origin: Origin) -> str | None:
    """A number in the words of a scope: a name where it has one, else computed from
    names as it was computed; None where a part of it has no name there."""
    for name, value in scope.items():
        known = origin_of(value)
        if known is not None and without_reads(known) == without_reads(origin):
            return name
    if not isinstance(origin, Operation) or origin.right is None:
        return None
    left = _part(scope, origin.left)
    right = _part(scope, origin.right)
    if left is None or right is None:
        return None
    if _is_number(left) and _is_number(right):
        return None
    if origin.symbol in ("*", "//", "/", "%"):
        left, right = _in_parentheses(left), _in_parentheses(right)
    if origin.symbol == "-":
        right = _in_parentheses(right)
    return f"{left} {origin.symbol} {right}"


def _part(scope: Scope, origin: Origin) -> str | None:
    text = write_in(scope, origin)
    if text is not None:
        return text
    # a factor of the user's, as the 2 of a bidirectional layer, or of torch's
    if isinstance(origin, (Literal, Fixed)) and origin.value in (2, 3, 4):
        return str(origin.value)
    return None


def _is_number(text: str) -> bool:
    return text.isdigit()


def _in_parentheses(text: str) -> str:
    return f"({text})" if " " in text else text


def _call_with(made: CallExpression, node: ast.expr, text: str) -> str:
    source = made.source
    before, old = made.text, source.segment(node)
    if node.lineno != made.node.lineno or node.end_lineno != made.node.lineno:
        return " ".join(before.replace(old, text, 1).split())
    line = before.encode()
    start = node.col_offset - made.node.col_offset
    end = start + len(old.encode())
    return (line[:start] + text.encode() + line[end:]).decode()


# -- one literal ------------------------------------------------------------------------


def _in_numbers(walked: Walked, call: Call, mismatch: Mismatch) -> Iterator[Candidate]:
    """Each literal for which both sides come out equal with another number."""
    for origin, is_taken in ((mismatch.takes, True), (mismatch.arrives, False)):
        for end in dict.fromkeys(ends_of(origin)):
            if not isinstance(end, Literal):
                continue
            value = mismatch.solve(end)
            if value is None or not _keeps_factors(mismatch, end):
                continue
            candidate = _change_literal(walked, end, value)
            if candidate is None:
                continue
            likely = weights.SOLVED_LITERAL
            likely += _gain(call, mismatch, origin, end, is_taken)
            yield Candidate(
                candidate.title,
                candidate.edits,
                call.layer,
                candidate.group,
                likely=likely,
                says=candidate.says,
                kind=ChangeKind.SOLVED,
            )


def _keeps_factors(mismatch: Mismatch, end: Literal) -> bool:
    """Whether all factors beside the changed one are factors of the other side too:
    `32 * 16 * 16` for 32 channels of 8 by 8 is no matter of one number."""
    sides = _sides_of(mismatch)
    for side, other in (sides, sides[::-1]):
        kept = [each for each in side if end not in ends_of(each)]
        # what is no product says nothing of its factors
        if len(kept) == len(side) or len(other) == 1:
            continue
        available = Counter(value_of(each, {}) for each in other)
        needed = Counter(value_of(each, {}) for each in kept)
        if needed - available - Counter({1: len(kept)}):
            return False
    return True


def _sides_of(mismatch: Mismatch) -> tuple[list[Origin], list[Origin]]:
    """The factors of both sides, those of a divisor on the other side: `a // b == c` is
    `a == b * c`."""
    above, below = _fraction_of(mismatch.arrives)
    taken, divided = _fraction_of(mismatch.takes)
    return [*above, *divided], [*below, *taken]


def _fraction_of(origin: Origin) -> tuple[list[Origin], list[Origin]]:
    """The factors of a size that a view inferred, as for `-1`: those of all elements,
    and those of the other sizes. Of any other size only the former."""
    if isinstance(origin, Operation) and origin.symbol == "//" and origin.right:
        above = list(_factors_of(origin.left))
        are_elements = any(isinstance(each, (Dimension, Read)) for each in above)
        if are_elements and len(above) > 1:
            return above, list(_factors_of(origin.right))
    return list(_factors_of(origin)), []


def _factors_of(origin: Origin) -> Iterator[Origin]:
    if isinstance(origin, Operation) and origin.symbol == "*" and origin.right:
        yield from _factors_of(origin.left)
        yield from _factors_of(origin.right)
    else:
        yield origin


def _is_layout(call: Call, mismatch: Mismatch) -> bool:
    """Whether what is taken stands at another dimension of what arrives, or is several
    of them flattened: then the number is right."""
    wanted = value_of(mismatch.takes, {})
    shape = call.inputs[0].shape if call.inputs else ()
    ends = [math.prod(shape[at:]) for at in range(1, len(shape) - 1)]
    return wanted != 1 and wanted in (*shape[1:], *ends)


def _gain(
    call: Call, mismatch: Mismatch, origin: Origin, end: Literal, is_taken: bool
) -> float:
    """What speaks for one literal over another."""
    gain = 0.0
    if is_taken:
        gain += weights.SOLVED_TAKEN
    if end in _factors_of(origin):
        gain += weights.SOLVED_WHOLE
    if _is_layout(call, mismatch):
        gain -= weights.SOLVED_BUT_LAYOUT
    other = mismatch.arrives if is_taken else mismatch.takes
    if all(isinstance(each, Dimension) for each in ends_of(other)):
        gain += weights.SOLVED_FOR_INPUT
    return gain


def _change_literal(walked: Walked, end: Literal, value: int) -> Candidate | None:
    source = parse_file(end.file, walked.texts)
    node = find_literal(source, end) if source is not None else None
    if source is None or node is None:
        return None
    role = role_of(source, node)
    if _COUNTS.match(role) or role in _WAYS or _is_in_check(source, node):
        return None
    written = write_text(Place(source, node), str(value), "", 0.0)
    return replace(written, group=f"literal {end.line}:{end.column}")


def find_literal(source: ParsedFile, end: Literal) -> ast.Constant | None:
    """The node of a literal in its file."""
    for node in ast.walk(source.tree):
        if (
            isinstance(node, ast.Constant)
            and (node.lineno, node.col_offset) == (end.line, end.column)
            and node.value == end.value
        ):
            return node
    return None


def role_of(source: ParsedFile, node: ast.expr) -> str:
    """The name a literal goes by: its parameter's, its variable's, its key's; empty
    where it has none."""
    child: ast.AST = node
    parent = source.parents.get(child)
    while isinstance(parent, (ast.Tuple, ast.List)):
        child, parent = parent, source.parents.get(parent)
    if isinstance(parent, ast.keyword):
        return parent.arg or ""
    if isinstance(parent, ast.arguments):
        return _default_of(parent, child)
    if isinstance(parent, ast.Assign) and len(parent.targets) == 1:
        return _name_of(parent.targets[0])
    if isinstance(parent, ast.AnnAssign):
        return _name_of(parent.target)
    if isinstance(parent, ast.Dict):
        for key, value in zip(parent.keys, parent.values, strict=True):
            if value is child and isinstance(key, ast.Constant):
                return str(key.value)
    if isinstance(parent, ast.Call) and child in parent.args:
        callee = source.segment(parent.func).rpartition(".")[2]
        arguments = ops.of(callee).arguments
        at = parent.args.index(child)
        return arguments[at] if at < len(arguments) else ""
    return ""


def _default_of(arguments: ast.arguments, node: ast.AST) -> str:
    names = [*arguments.posonlyargs, *arguments.args]
    pairs = [
        *zip(reversed(names), reversed(arguments.defaults), strict=False),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    return next((name.arg for name, default in pairs if default is node), "")


def _name_of(target: ast.expr) -> str:
    if isinstance(target, ast.Name):
        return target.id
    return target.attr if isinstance(target, ast.Attribute) else ""


def _is_in_check(source: ParsedFile, node: ast.AST) -> bool:
    """Whether it stands in a condition or an assertion."""
    child, parent = node, source.parents.get(node)
    while parent is not None and not isinstance(parent, ast.FunctionDef):
        if isinstance(parent, ast.Assert):
            return True
        if isinstance(parent, (ast.If, ast.While, ast.IfExp)) and parent.test is child:
            return True
        child, parent = parent, source.parents.get(parent)
    return False
