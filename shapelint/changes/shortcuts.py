"""Shortcuts around a block that strides or widens: the layer that fits them is there and
not called, its condition forgets a case, or it is missing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from shapelint import ops
from shapelint.changes import weights
from shapelint.changes.operands import Operand, find_operands
from shapelint.changes.slip_edits import (
    Function,
    attributes_of_self,
    is_read,
    method_named,
    shorten,
)
from shapelint.facts.findings import Candidate
from shapelint.facts.graph import Call, Frame, Trace
from shapelint.facts.walked_target import Walked
from shapelint.ops.record import Family
from shapelint.syntax.calls import CallExpression
from shapelint.syntax.edits import insert_after, insert_before, replacement
from shapelint.syntax.parsing import last_name
from shapelint.syntax.trees import ParsedFile, parse_file
from shapelint.syntax.walked_calls import find_constructor_call

_NAMES = ("shortcut", "projection")


@dataclass(frozen=True)
class _Block:
    """A sum in a block of the user's: `identity` is what came into the block, and
    `steps` are the calls that made the other operand."""

    source: ParsedFile
    owner: ast.ClassDef
    init: Function
    path: str
    identity: Operand
    steps: list[Call]

    @property
    def read(self) -> set[str]:
        """The attributes of `self` that methods other than `__init__` read."""
        own = set(ast.walk(self.init))
        return {
            node.attr
            for node in ast.walk(self.owner)
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "self"
            and is_read(node)
            and node not in own
        }


def _is_convolution(name: str) -> bool:
    op = ops.of(name)
    return op.family is Family.CONVOLUTION and not op.is_transposed


def _is_projection(name: str) -> bool:
    return name == "Linear" or _is_convolution(name)


def shortcut_candidates(walked: Walked, trace: Trace, call: Call) -> list[Candidate]:
    """Make the shortcut of a block fit what the block gives."""
    block = _find_block(walked, trace, call)
    if block is None:
        return []
    return [
        *_call_unused_layer(walked, block),
        *_complete_condition(block),
        *_add_projection(walked, block),
    ]


def _find_block(walked: Walked, trace: Trace, call: Call) -> _Block | None:
    operands = find_operands(walked, call) or _of_augmented(walked, call)
    if len(operands) != 2 or len(call.producers) < 2 or not call.within:
        return None
    frame = call.within[-1]
    outside = [not _is_within(trace, index, frame) for index in call.producers[:2]]
    if sum(outside) != 1:
        return None
    file, name = walked.homes.get(frame.path, ("", ""))
    source = parse_file(file, walked.texts) if file else None
    owner = _class_named(source, name) if source is not None else None
    init = method_named(owner, "__init__") if owner is not None else None
    if source is None or owner is None or init is None:
        return None
    if operands[0].source.file != source.file:
        return None
    steps = [each for each in trace.calls[: call.index] if frame in each.within]
    identity = operands[outside.index(True)]
    return _Block(source, owner, init, frame.path, identity, steps)


def _of_augmented(walked: Walked, call: Call) -> list[Operand]:
    """The two sides of `out += x`."""
    site = call.site
    source = parse_file(site.file, walked.texts) if site is not None else None
    if site is None or source is None or len(call.inputs) != 2:
        return []
    statement = next(source.nodes_on(site.line, ast.AugAssign), None)
    if statement is None or not isinstance(statement.op, ast.Add):
        return []
    sides = (statement.target, statement.value)
    shapes = (fact.shape for fact in call.inputs)
    return [
        Operand(source, node, shape) for node, shape in zip(sides, shapes, strict=True)
    ]


def _is_within(trace: Trace, index: int, frame: Frame) -> bool:
    while index >= 0 and trace.calls[index].module_class == "Identity":
        index = next(iter(trace.calls[index].producers), -1)
    return index >= 0 and frame in trace.calls[index].within


def _class_named(source: ParsedFile, name: str) -> ast.ClassDef | None:
    classes = (node for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef))
    return next((node for node in classes if node.name == name), None)


# -- a layer that is there ---------------------------------------------------------------


def _call_unused_layer(walked: Walked, block: _Block) -> Iterator[Candidate]:
    """`self.downsample(x)` for `x`, if that layer is made and never called."""
    inside = f"{block.path}." if block.path else ""
    made = {path.removeprefix(inside) for path in walked.homes if path != block.path}
    own = [name for name in sorted(made) if attributes_of_self(block.init, name)]
    for name in own:
        if name in block.read:
            continue
        edit = replacement(
            block.source, block.identity.node, f"self.{name}({block.identity.text})"
        )
        title = f"`self.{name}({block.identity.text})`"
        if _may_be_none(block, name):
            statement = block.source.find_enclosing(block.identity.node, ast.stmt)
            if not isinstance(block.identity.node, ast.Name) or statement is None:
                continue
            title, text = _guarded(name, block.identity.text, statement.col_offset)
            edit = insert_before(block.source, statement, text)
        says = f"`{name}` is made for the shortcut, and never called"
        yield Candidate(
            title, (edit,), likely=weights.SHORTCUT_UNUSED, says=says, group="shortcut"
        )


def _guarded(name: str, variable: str, column: int) -> tuple[str, str]:
    """The title and the text of the statement that calls a layer unless it is None."""
    test, step = f"if self.{name} is not None:", f"{variable} = self.{name}({variable})"
    return f"`{test} {step}`", f"{test}\n{' ' * (column + 4)}{step}"


def _may_be_none(block: _Block, name: str) -> bool:
    """Whether a layer is None in some of the blocks."""
    defaults = [*block.init.args.defaults, *block.init.args.kw_defaults]
    assigned = [
        node.value
        for node in ast.walk(block.init)
        if isinstance(node, ast.Assign)
        and any(last_name(target) == name for target in node.targets)
    ]
    is_handed_in = any(isinstance(node, ast.Name) for node in assigned)
    values = [*assigned, *(defaults if is_handed_in else [])]
    return any(isinstance(node, ast.Constant) and node.value is None for node in values)


# -- a condition that forgets a case -----------------------------------------------------


def _complete_condition(block: _Block) -> Iterator[Candidate]:
    """`if stride != 1 or cin != cout:` for `if stride != 1:`."""
    for node in ast.walk(block.source.tree):
        if not isinstance(node, ast.If) or not _sets_any(node, block.read):
            continue
        test = block.source.segment(node.test)
        missing = [
            part
            for part in _cases_of(block.source, node)
            if not _names_in(ast.parse(part)) <= _names_in(node.test)
        ]
        if not missing:
            continue
        text = " or ".join([test, *missing])
        yield Candidate(
            f"`if {text}:`",
            (replacement(block.source, node.test, text),),
            likely=weights.SHORTCUT_CONDITION,
            says="the shortcut needs its layer in this case too",
            group="shortcut",
        )


def _sets_any(node: ast.If, names: set[str]) -> bool:
    targets = [
        target
        for statement in node.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
    ]
    return any(last_name(target) in names for target in targets)


def _cases_of(source: ParsedFile, node: ast.If) -> list[str]:
    """When the layer made in a branch is needed: if it strides, or changes the number
    of channels."""
    calls = (part for part in ast.walk(node) if isinstance(part, ast.Call))
    made = next(
        (each for each in calls if "conv" in last_name(each.func).lower()), None
    )
    if made is None:
        return []
    call = CallExpression(source, made)
    taken, given = call.argument(0, "in_channels"), call.argument(1, "out_channels")
    # of a helper such as `conv1x1(cin, cout, stride)` it is the third
    is_own = _is_convolution(call.name)
    stride = call.argument(3 if is_own else 2, "stride")
    cases = []
    if stride is not None and _names_in(stride):
        cases.append(f"{source.segment(stride)} != 1")
    if taken is not None and given is not None:
        cases.append(f"{source.segment(taken)} != {source.segment(given)}")
    return cases


def _names_in(node: ast.AST) -> set[str]:
    """The variables and attributes that an expression reads."""
    return {
        last_name(part)
        for part in ast.walk(node)
        if isinstance(part, (ast.Name, ast.Attribute))
    }


# -- a layer that is missing -------------------------------------------------------------


@dataclass(frozen=True)
class _Projection:
    """The sizes of a projection as the block writes them, and the prefix of torch's
    layers there."""

    taken: ast.expr
    given: ast.expr
    strides: list[ast.expr]
    prefix: str
    name: str
    norm: str


def _add_projection(walked: Walked, block: _Block) -> Iterator[Candidate]:
    """`out + self.shortcut(x)`, with a projection that strides and widens as the block
    does."""
    found = _find_projection(walked, block)
    attribute = next((n for n in _NAMES if not attributes_of_self(block.owner, n)), "")
    if found is None or not attribute:
        return
    layer = _write_layer(block.source, found)
    cases = _when_needed(block.source, found)
    column = block.init.body[-1].col_offset
    text = f"self.{attribute} = {layer}"
    if cases:
        before = f"self.{attribute} = {found.prefix}Identity()"
        inside = f"{' ' * (column + 4)}{text}"
        text = f"{before}\n{' ' * column}if {cases}:\n{inside}"
    applied = f"self.{attribute}({block.identity.text})"
    edits = (
        replacement(block.source, block.identity.node, applied),
        insert_after(block.source, block.init.body[-1], text),
    )
    title = f"`{applied}` with `self.{attribute} = {shorten(layer)}`"
    is_named = bool(cases) and _names_its_sizes(found)
    likely = weights.SHORTCUT_ADDED if is_named else weights.SHORTCUT_OF_NUMBERS
    says = "what comes in has another shape than what the block gives"
    yield Candidate(title, edits, likely=likely, says=says, group="shortcut")


def _find_projection(walked: Walked, block: _Block) -> _Projection | None:
    layers = [
        (step, made)
        for step in block.steps
        if _is_projection(step.module_class)
        and (made := find_constructor_call(walked, step)) is not None
        and made.source.find_enclosing(made.node, ast.FunctionDef) is block.init
    ]
    if not layers:
        return None
    first, last = layers[0][1], layers[-1][1]
    taken = first.argument(0, "in_channels", "in_features")
    given = last.argument(1, "out_channels", "out_features")
    if taken is None or given is None or not first.prefix:
        return None
    strides = [
        stride
        for step, made in layers
        if _is_convolution(step.module_class)
        and (stride := made.argument(3, "stride")) is not None
        and not _is_one(stride)
    ]
    ends_in_norm = block.steps[-1].module_class.startswith("BatchNorm")
    norm = block.steps[-1].module_class if ends_in_norm else ""
    return _Projection(taken, given, strides, first.prefix, first.name, norm)


def _names_its_sizes(of: _Projection) -> bool:
    """Whether a block is made for other sizes by design: what it takes and gives have
    names of their own, or its stride has one."""
    names = (ast.Name, ast.Attribute)
    is_wider = isinstance(of.taken, names) and isinstance(of.given, names)
    return is_wider or any(isinstance(node, names) for node in of.strides)


def _is_one(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 1


def _write_layer(source: ParsedFile, of: _Projection) -> str:
    taken, given = source.segment(of.taken), source.segment(of.given)
    if of.name == "Linear":
        return f"{of.prefix}Linear({taken}, {given})"
    stride = " * ".join(source.segment(node) for node in of.strides)
    steps = f", {stride}" if stride else ""
    bias = ", bias=False" if of.norm else ""
    layer = f"{of.prefix}{of.name}({taken}, {given}, 1{steps}{bias})"
    if not of.norm:
        return layer
    return f"{of.prefix}Sequential({layer}, {of.prefix}{of.norm}({given}))"


def _when_needed(source: ParsedFile, of: _Projection) -> str:
    """The condition under which a block needs its projection; empty if its sizes are
    numbers, so that it always does."""
    strides = [node for node in of.strides if _names_in(node)]
    cases = [f"{source.segment(node)} != 1" for node in strides]
    taken, given = source.segment(of.taken), source.segment(of.given)
    if taken != given and (_names_in(of.taken) or _names_in(of.given)):
        cases.append(f"{taken} != {given}")
    return " or ".join(cases)
