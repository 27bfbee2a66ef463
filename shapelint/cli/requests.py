"""Builds requests from a command's options and the configuration."""

from __future__ import annotations

from dataclasses import replace

from shapelint.asked.inputs import parse_inputs
from shapelint.asked.request import Walk
from shapelint.asked.settings import MODES, Config, ConfiguredTarget
from shapelint.asked.target import parse_target
from shapelint.cli.configured_targets import NOTHING, find_configured, target_from_here
from shapelint.cli.options import InputOptions


def walk_request(target: str, config: Config, options: InputOptions) -> Walk:
    """The request to walk a target. Its words are checked before anything is started.

    The target's table in the configuration counts where the options are not given.

    Raises:
        UsageError: target or input cannot be read.
    """
    table = find_configured(config, target) or NOTHING
    if not options.has_input:
        options = _with_configured_inputs(options, config, table)
    parse_target(target)
    parse_inputs(options.inputs)
    if options.input_factory is not None:
        parse_target(options.input_factory)
    mode = options.mode or table.mode or config.mode
    seconds = config.timeout if options.timeout is None else options.timeout
    return Walk(
        target,
        options.inputs,
        options.input_factory,
        MODES[mode],
        thresholds=config.thresholds,
        seconds=seconds,
        expect=tuple(table.expect),
    )


def _with_configured_inputs(
    options: InputOptions, config: Config, table: ConfiguredTarget
) -> InputOptions:
    factory = table.input_factory
    return replace(
        options,
        inputs=tuple(table.inputs),
        input_factory=target_from_here(config, factory) if factory else None,
    )
