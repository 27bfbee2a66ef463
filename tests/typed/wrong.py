"""Mistakes that a type checker must see; each is on a line that says so."""

from __future__ import annotations

from torch import nn

from shapelint import assert_params, assert_shapes, check, trace

check(3, (1, 8))  # wrong
check(nn.Linear, (1, 8), mode=2)  # wrong
check(nn.Linear, (1, 8), seelct=["SHP1"])  # wrong
assert_params(nn.Linear(1, 1), (1, 1))  # wrong
assert_params(nn.Linear(1, 1), (1, 1), max="5M")  # wrong
assert_shapes(nn.Linear(1, 1), 5)  # wrong
gone = trace(nn.Linear(1, 1), (1, 1)).graphmodule  # wrong
check(nn.Linear(1, 1), (1, 1)).params.upper()  # wrong
