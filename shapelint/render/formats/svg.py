"""The model as a self-contained picture in SVG."""

from __future__ import annotations

from shapelint.facts.outcome import Outcome
from shapelint.render.format import Format
from shapelint.render.static_picture import render_svg
from shapelint.render.style import Style


class Svg(Format):
    name = "svg"

    def render_layers(self, outcome: Outcome, style: Style) -> str:
        return render_svg(outcome.report)
