"""The model as a picture: one SVG that needs nothing else."""

from __future__ import annotations

from shapelint.facts.outcome import Outcome
from shapelint.render.format import Format
from shapelint.render.static_picture import render_svg
from shapelint.render.style import Style


class Svg(Format):
    name = "svg"

    def render_layers(self, outcome: Outcome, style: Style) -> str:
        return render_svg(outcome.report)
