"""The output formats. This table is the only list of them.

Each format is implemented in the file of its name in `shapelint/render/formats/`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FormatName:
    """The name of a format, and where it is available.

    `of_check` and `of_report`: the commands that can print it. `has_picture`: it shows
    the model as a picture, which the walk must record."""

    name: str
    of_check: bool = False
    of_report: bool = False
    has_picture: bool = False


FORMATS = (
    FormatName("full", of_check=True),
    FormatName("concise", of_check=True),
    FormatName("table", of_report=True),
    FormatName("pipeline", of_report=True),
    FormatName("csv", of_report=True),
    FormatName("json", of_check=True, of_report=True),
    FormatName("sarif", of_check=True),
    FormatName("github", of_check=True),
    FormatName("gitlab", of_check=True),
    FormatName("junit", of_check=True),
    FormatName("markdown", of_check=True, of_report=True),
    FormatName("html", of_check=True, of_report=True, has_picture=True),
    FormatName("svg", of_report=True, has_picture=True),
)
"""In the order of the help. The first format of each command is its default."""

CHECK_FORMATS = tuple(each.name for each in FORMATS if each.of_check)
REPORT_FORMATS = tuple(each.name for each in FORMATS if each.of_report)
PICTURES = tuple(each.name for each in FORMATS if each.has_picture)
