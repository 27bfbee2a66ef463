"""The options of `shapelint check`, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

from shapelint.cli.options import ConfigOptions, InputOptions, OutputOptions


@dataclass(frozen=True)
class CheckOptions:
    """The options of the command line. `targets`, `select` and `ignore` are split into
    words."""

    targets: tuple[str, ...]
    given: InputOptions
    configuration: ConfigOptions
    output: OutputOptions
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    output_format: tuple[str, ...]
    fix: bool
    unsafe_fixes: bool
    diff: bool
    fix_only: bool
    baseline: str | None
    update_baseline: bool
    add_ignores: bool
    fail_on: str | None
    changed: bool
    show_settings: bool
    exit_zero: bool
    no_report: bool

    @property
    def wants_fixes(self) -> bool:
        """Whether to make fixes, or to show them as a diff."""
        return self.fix or self.diff or self.fix_only

    @property
    def has_report(self) -> bool:
        """Whether to print the per-layer table."""
        return not (self.no_report or self.output.quiet)
