"""A file compiled so that each number written in it knows its place.

Python's compiler takes only plain numbers for constants. So each literal is compiled as
a text that stands for it, and is exchanged in the finished code: neither names nor calls
are added to the user's module, and a line costs what it cost."""

from __future__ import annotations

import ast
import warnings
from functools import lru_cache
from types import CodeType
from typing import Any

from shapelint.facts.numbers import Literal, Real, Whole, plain_type_of, whole

_MARK = b"\0shapelint:"
"""How the stand-in of a literal begins. As bytes, no operator of a number folds it."""

_FUNCTIONS = {"int": whole, "type": plain_type_of}
"""Calls of these builtins that would lose an origin, or tell a number from a plain
one."""


@lru_cache(maxsize=32)
def compile_with_origins(text: str | bytes, path: str, mode: str = "exec") -> CodeType:
    """The code of a module, or of one expression (`mode` is `eval`), whose numbers have
    origins.

    Raises:
        SyntaxError, ValueError: as `compile`.
    """
    tree = ast.parse(text, path, mode)
    marker = _Marker(path, _bound_names(tree))
    tree = marker.visit(tree)
    with warnings.catch_warnings():
        # a stand-in that is called or compared looks like a mistake; what the user's
        # own text deserves is said when it is compiled as it is
        warnings.simplefilter("ignore", SyntaxWarning)
        code: CodeType = compile(tree, path, mode, dont_inherit=True)
    return _exchange(code, marker.values)


def _bound_names(tree: ast.AST) -> set[str]:
    """Every name that a file binds anywhere: it may mean something else by `int`."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).partition(".")[0])
    return found


class _Marker(ast.NodeTransformer):
    """Exchanges literals for their stand-ins, where the compiler does not look at their
    value."""

    def __init__(self, path: str, bound: set[str]) -> None:
        self.path = path
        self.values: dict[bytes, Any] = {}
        self._functions = {
            name: function for name, function in _FUNCTIONS.items() if name not in bound
        }

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        value = node.value
        if type(value) is int:
            return self._stand_in(node, Whole(value, self._place(node, value)))
        if type(value) is float:
            return self._stand_in(node, Real(value, self._place(node, value)))
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        self.generic_visit(node)
        function = self._functions.get(name)
        if function is not None and len(node.args) == 1 and not node.keywords:
            node.func = self._stand_in(node.func, function)
        return node

    # -- where a number stays as it is -------------------------------------------------

    def _leave(self, node: ast.AST) -> ast.AST:
        return node

    # patterns and format specifications take literals alone; annotations may be kept as
    # text, and what is compared by `is` must be the same object
    visit_JoinedStr = _leave  # noqa: N815
    visit_MatchValue = visit_MatchMapping = _leave  # noqa: N815

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        left, others = node.left, list(node.comparators)
        self.generic_visit(node)
        if any(isinstance(op, (ast.Is, ast.IsNot)) for op in node.ops):
            node.left = _unless_literal(left, node.left)
            pairs = zip(others, node.comparators, strict=True)
            node.comparators = [_unless_literal(*pair) for pair in pairs]
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is not None:
            value: ast.expr = self.visit(node.value)
            node.value = value
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        returns, node.returns = node.returns, None
        self.generic_visit(node)
        node.returns = returns
        return node

    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]  # noqa: N815

    # the compiler decides `while 1`, `if 0`, `not 0` and `0 or x` by itself, and would
    # take a stand-in for true
    def _visit_test(self, node: Any) -> ast.AST:
        test = node.test
        self.generic_visit(node)
        node.test = _unless_literal(test, node.test)
        changed: ast.AST = node
        return changed

    visit_If = visit_While = visit_IfExp = visit_Assert = _visit_test  # noqa: N815

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        operand = node.operand
        self.generic_visit(node)
        if isinstance(node.op, ast.Not):
            node.operand = _unless_literal(operand, node.operand)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        values = list(node.values)
        self.generic_visit(node)
        pairs = zip(values, node.values, strict=True)
        node.values = [_unless_literal(*pair) for pair in pairs]
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        tests = list(node.ifs)
        self.generic_visit(node)
        pairs = zip(tests, node.ifs, strict=True)
        node.ifs = [_unless_literal(*pair) for pair in pairs]
        return node

    # ----------------------------------------------------------------------------------

    def _place(self, node: ast.Constant, value: int | float) -> Literal:
        end_line = node.end_lineno or node.lineno
        end = node.end_col_offset or node.col_offset
        return Literal(self.path, node.lineno, node.col_offset, end_line, end, value)

    def _stand_in(self, node: ast.expr, value: Any) -> ast.expr:
        mark = b"%s%d" % (_MARK, len(self.values))
        self.values[mark] = value
        return ast.copy_location(ast.Constant(mark), node)


def _unless_literal(old: ast.expr, new: ast.expr) -> ast.expr:
    """What stood in for an expression, or the expression itself if it is a literal."""
    return old if isinstance(old, ast.Constant) else new


def _exchange(code: CodeType, values: dict[bytes, Any]) -> CodeType:
    """Code with the values in place of their stand-ins, nested code and containers
    counted in."""

    def exchanged(constant: Any) -> Any:
        if isinstance(constant, bytes):
            return values.get(constant, constant)
        if isinstance(constant, CodeType):
            return _exchange(constant, values)
        if isinstance(constant, tuple):
            return tuple(exchanged(item) for item in constant)
        if isinstance(constant, frozenset):
            return frozenset(exchanged(item) for item in constant)
        if isinstance(constant, slice):  # Python 3.14 has constant slices
            parts = (constant.start, constant.stop, constant.step)
            return slice(*(exchanged(part) for part in parts))
        return constant

    return code.replace(co_consts=tuple(map(exchanged, code.co_consts)))
