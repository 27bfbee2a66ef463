"""The pytest plugin: `--shapelint`, the fixture `shapelint`, the marker `shapelint`. No
torch until one is used."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from shapelint.asked.settings import Config

MARKER = (
    "shapelint(model, inputs, *, select=(), ignore=(), fail_on='warning'): "
    "check the model before the test, and fail with what is found"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--shapelint`."""
    group = parser.getgroup("shapelint")
    group.addoption(
        "--shapelint",
        action="store_true",
        help="Check each target of [tool.shapelint] as a test.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """The marker is known, so that strict markers accept it."""
    config.addinivalue_line("markers", MARKER)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """With `--shapelint` a test for each configured target, after the others."""
    if not config.getoption("--shapelint"):
        return
    from shapelint.asked.config import load_config
    from shapelint.cli.configured_targets import targets_of
    from shapelint.facts.errors import UsageError
    from shapelint.facts.escape import in_one_line, printable

    try:
        settings = load_config(config.rootpath)
    except UsageError as error:
        raise pytest.UsageError(printable(f"shapelint: {error}")) from None
    if not settings.targets:
        raise pytest.UsageError(
            "--shapelint: no [[tool.shapelint.targets]] are configured"
        )
    items += [
        TargetItem.from_parent(
            session,
            name=f"shapelint[{in_one_line(target)}]",
            target=target,
            settings=settings,
        )
        for target in targets_of(settings)[:-1]
    ]


class FoundError(Exception):
    """A target has findings; the text says which."""


class TargetItem(pytest.Item):
    """One configured target."""

    def __init__(self, *, target: str, settings: Config, **words: Any) -> None:
        super().__init__(**words)
        self.target, self.settings = target, settings
        self.add_marker("shapelint")

    def runtest(self) -> None:
        """Check it in a process of its own, as the command line does."""
        from shapelint.cli.configured_targets import choose_rules, codes_ignored_in
        from shapelint.cli.exit_codes import exit_code
        from shapelint.cli.options import InputOptions
        from shapelint.cli.requests import walk_request
        from shapelint.facts.errors import UsageError
        from shapelint.facts.escape import printable
        from shapelint.process.runner import run_all
        from shapelint.render import render
        from shapelint.render.style import Style

        try:
            request = replace(
                walk_request(self.target, self.settings, InputOptions()),
                selected=choose_rules(self.settings, (), (), self.target),
                ignored_in=codes_ignored_in(self.settings),
            )
        except UsageError as error:
            raise FoundError(printable(str(error))) from None
        outcomes = list(run_all([request]))
        if exit_code(outcomes, False, self.settings.fail_on):
            raise FoundError(render("full", outcomes, Style(), False).rstrip())

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None
    ) -> Any:
        """The findings alone; a traceback only where it is ours."""
        if isinstance(excinfo.value, FoundError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        """Where it is from, and what it is called."""
        return self.settings.file or self.path, None, self.name


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Iterator[Any]:
    """Make a test with the marker fail with the findings about its model."""
    __tracebackhide__ = True
    marker = pyfuncitem.get_closest_marker("shapelint")
    if marker is not None:
        from shapelint.python.testing import assert_clean

        try:
            assert_clean(*marker.args, **marker.kwargs)
        except TypeError as error:
            pytest.fail(
                f"@pytest.mark.shapelint takes a model and inputs: {error}",
                pytrace=False,
            )
        except AssertionError as error:
            pytest.fail(str(error), pytrace=False)
    return (yield)


class Shapelint:
    """The value of the fixture: the functions of the package as attributes."""

    def __getattr__(self, name: str) -> Any:
        import shapelint

        return getattr(shapelint, name)


@pytest.fixture
def shapelint() -> Shapelint:
    """`shapelint.check`, `trace` and the assertions; torch is imported when one is
    called."""
    return Shapelint()
