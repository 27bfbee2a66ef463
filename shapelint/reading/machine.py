"""Runs one path through a training script, statement by statement.

All branching statements use `Branching`: each way runs from the state at the fork, and
the end states of the ways that go on are joined."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable

from shapelint.reading.branching import Branching, Catch, Exit
from shapelint.reading.context_managers import ContextManagers
from shapelint.reading.decisions import Operand
from shapelint.reading.expressions import Expressions
from shapelint.reading.functions import RETURNED
from shapelint.reading.journal import Journal
from shapelint.reading.loops import Loops
from shapelint.reading.match_cases import MatchCases, list_captured_names
from shapelint.reading.path_state import PathState, Snapshot
from shapelint.reading.scopes import Files
from shapelint.reading.values import Constant, Function, Result, Scope, unite_results

_CHANGE = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Delete, ast.Expr)
"""Statements that change the state and may raise. Compound statements consist of
them."""

_LEAVE = {ast.Raise: Exit.RAISE, ast.Break: Exit.BREAK, ast.Continue: Exit.CONTINUE}

RunStatement = Callable[..., None]


class Machine:
    """Runs statements. `decided`: conditions that are decided already, by their text.
    New conditions are taken to be true."""

    def __init__(self, files: Files, decided: dict[str, bool] | None = None) -> None:
        self.state = PathState()
        self.journal = Journal(self.state)
        self._files = files
        self._branching = Branching(self.state, self.journal)
        self.expressions = Expressions(
            self.state, self.journal, self._branching, self.run_block, decided or {}
        )
        self._evaluate = self.expressions.evaluate
        self._decide = self.expressions.decisions.decide
        self._bind = self.expressions.binding.bind
        self._contexts = ContextManagers(self.state, self.expressions)
        self._cases = MatchCases(self._evaluate, self.expressions.decisions)
        self._loops = Loops(
            self.state, self.journal, self._branching, self.expressions, self.run_block
        )
        self._by_type = self._list_statements()

    def _list_statements(self) -> dict[type[ast.stmt], RunStatement]:
        found: dict[type[ast.stmt], RunStatement] = {
            ast.Expr: self._run_expression,
            ast.Assign: self._run_assign,
            ast.AnnAssign: self._run_annotated,
            ast.AugAssign: self._run_augmented,
            ast.Delete: self._run_delete,
            ast.Import: self._run_import,
            ast.ImportFrom: self._run_import,
            ast.FunctionDef: self._run_def,
            ast.ClassDef: self._run_class,
            ast.Return: self._run_return,
            ast.Raise: self._run_exit,
            ast.Break: self._run_exit,
            ast.Continue: self._run_exit,
            ast.Assert: self._run_assert,
            ast.If: self._run_if,
            ast.Match: self._run_match,
            ast.Try: self._run_try,
            ast.With: self._run_with,
            ast.AsyncWith: self._run_with,
            ast.For: self._loops.run_for,
            ast.AsyncFor: self._loops.run_for,
            ast.While: self._loops.run_while,
        }
        try_star = getattr(ast, "TryStar", None)  # since Python 3.11
        if try_star is not None:
            found[try_star] = self._run_try
        return found

    def run_block(self, body: Iterable[ast.stmt], scope: Scope) -> None:
        """Run statements in order."""
        for node in body:
            self._run_statement(node, scope)

    def _run_statement(self, node: ast.stmt, scope: Scope) -> None:
        self.journal.count_step()
        run = self._by_type.get(type(node))
        if run is not None:
            run(node, scope)
        if isinstance(node, _CHANGE):
            self._branching.may_raise()

    # -- statements in a line

    def _run_expression(self, node: ast.Expr, scope: Scope) -> None:
        self._evaluate(node.value, scope)
        for call in self.journal.path.forwards[-1:]:
            call.dropped = call.dropped or call.at.node is node.value

    def _run_assign(self, node: ast.Assign, scope: Scope) -> None:
        value = self._evaluate(node.value, scope)
        for target in node.targets:
            self._bind(target, value, scope)

    def _run_annotated(self, node: ast.AnnAssign, scope: Scope) -> None:
        if node.value is not None:
            self._bind(node.target, self._evaluate(node.value, scope), scope)

    def _run_augmented(self, node: ast.AugAssign, scope: Scope) -> None:
        added = self._evaluate(node.value, scope)
        value = self._evaluate(node.target, scope)
        if isinstance(added, Result) or isinstance(value, Result):
            self._bind(node.target, unite_results([value, added]), scope)
        elif isinstance(value, Constant):
            # A counter does not keep the number that is written.
            self._bind(node.target, None, scope)

    def _run_delete(self, node: ast.Delete, scope: Scope) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                # A name that was deleted may be bound further out.
                scope.names.pop(target.id, None)

    def _run_import(self, node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
        self._files.declare_import(scope, node)

    def _run_def(self, node: ast.FunctionDef, scope: Scope) -> None:
        scope.names[node.name] = Function(node, scope)

    def _run_class(self, node: ast.ClassDef, scope: Scope) -> None:
        # A class of the module is declared already, and is to stay one object.
        scope.names.setdefault(node.name, self._files.read_class(node, scope))

    # -- exits

    def _run_return(self, node: ast.Return, scope: Scope) -> None:
        scope.names[RETURNED] = self._evaluate(node.value, scope)
        self._branching.leave(Exit.RETURN)

    def _run_exit(
        self, node: ast.Raise | ast.Break | ast.Continue, scope: Scope
    ) -> None:
        self._branching.leave(_LEAVE[type(node)])

    def _run_assert(self, node: ast.Assert, scope: Scope) -> None:
        if isinstance(node.test, ast.Constant) and not node.test.value:
            self._branching.leave(Exit.RAISE)

    # -- if and match

    def _run_if(self, node: ast.If, scope: Scope) -> None:
        self._branching.choose(
            self._decide(node.test, scope),
            lambda: self.run_block(node.body, scope),
            lambda: self.run_block(node.orelse, scope),
        )

    def _run_match(self, node: ast.Match, scope: Scope) -> None:
        subject = Operand(node.subject, self._evaluate(node.subject, scope))
        self._run_cases(subject, node.cases, scope)

    def _run_cases(
        self, subject: Operand, cases: list[ast.match_case], scope: Scope
    ) -> None:
        """Run the first case, or the others if it does not match. After the last case,
        nothing runs."""
        if not cases:
            return
        case, *others = cases

        def otherwise() -> None:
            self._run_cases(subject, others, scope)

        self._branching.choose(
            self._cases.matches(case.pattern, subject, scope),
            lambda: self._run_case(case, subject, otherwise, scope),
            otherwise,
        )

    def _run_case(
        self,
        case: ast.match_case,
        subject: Operand,
        otherwise: Callable[[], None],
        scope: Scope,
    ) -> None:
        """Run a case whose pattern matches. Its guard may still refuse."""
        for name, is_whole in list_captured_names(case.pattern):
            value = subject.value if is_whole else None
            self.expressions.binding.bind_name(name, value, scope)
        self._branching.choose(
            self._decide(case.guard, scope) if case.guard is not None else True,
            lambda: self.run_block(case.body, scope),
            otherwise,
        )

    # -- try and with

    def _run_try(self, node: ast.Try, scope: Scope) -> None:
        if not node.finalbody:
            self._run_handled(node, scope)
            return
        self._branching.guard(
            lambda: self._run_handled(node, scope),
            lambda: self.run_block(node.finalbody, scope),
            sees_all=True,
        )

    def _run_handled(self, node: ast.Try, scope: Scope) -> None:
        """Run the body, then `else` if the body went on. Each handler runs from all
        states in which something may have been raised."""
        if not node.handlers:
            self.run_block(node.body, scope)
            return
        before = self.state.fork()
        takes_all = any(map(_takes_all, node.handlers))
        with self._branching.catch_exits(
            Catch(frozenset({Exit.RAISE}), takes_all)
        ) as catch:
            # The first statement may raise before it has changed anything.
            self._branching.may_raise()
            ends = self._branching.end_of(lambda: self.run_block(node.body, scope))
        if ends:
            # An exception raised in `else` is not caught here.
            self.state.restore(ends[0])
            ends = self._branching.end_of(lambda: self.run_block(node.orelse, scope))
        raised = catch.take(Exit.RAISE)
        for handler in node.handlers:
            ends += self._run_handler(handler, before, raised, scope)
        self.state.join(before, ends)

    def _run_handler(
        self,
        handler: ast.ExceptHandler,
        before: Snapshot,
        raised: list[Snapshot],
        scope: Scope,
    ) -> list[Snapshot]:
        self.state.join(before, raised)
        if handler.name:
            self.expressions.binding.bind_name(handler.name, None, scope)
        return self._branching.end_of(lambda: self.run_block(handler.body, scope))

    def _run_with(self, node: ast.With | ast.AsyncWith, scope: Scope) -> None:
        self._run_within(node.items, node.body, scope)

    def _run_within(
        self, items: list[ast.withitem], body: list[ast.stmt], scope: Scope
    ) -> None:
        """Enter the contexts in order, then run the body."""
        if not items:
            self.run_block(body, scope)
            return
        first, *others = items
        leave = self._contexts.enter(first, scope)
        self._branching.guard(
            lambda: self._run_within(others, body, scope),
            leave,
            swallows=self._contexts.swallows(first.context_expr, scope),
        )


def _takes_all(handler: ast.ExceptHandler) -> bool:
    """Whether a handler catches every exception."""
    if handler.type is None:
        return True
    takes_all = ("Exception", "BaseException")
    return isinstance(handler.type, ast.Name) and handler.type.id in takes_all
