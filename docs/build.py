"""Write the pages of rules, options and the Python interface from where they are: `make
docs`."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import shapelint
from shapelint.asked.settings import OPTIONS, TARGET_OPTIONS, Option
from shapelint.render.rule_pages import rule_page, summarise_rule
from shapelint.rules import catalogue

HERE = Path(__file__).parent

EXAMPLE = """```toml
[[tool.shapelint.targets]]
target = "models/net.py:Net(10)"
inputs = ["1,3,224,224"]
expect = ["1,10"]
```"""

TYPES = {
    list: "list of strings",
    tuple: "array of tables",
    dict: "table",
    str: "string",
    int: "integer",
}
"""How TOML calls the types of options."""

API = (
    "check",
    "Report",
    "trace",
    "WalkedModel",
    "assert_clean",
    "assert_shapes",
    "assert_params",
    "assert_modes_agree",
)

PICTURE = (
    *("report", "fixtures/small_cnn.py:SmallCNN", "--input", "1,3,32,32"),
    *("--format", "svg"),
)
"""The command whose picture the README shows."""


def pages() -> dict[Path, str]:
    """Every generated page, by its path."""
    rules = catalogue().rules.values()
    found = {HERE / "rules" / f"{rule.name}.md": rule_page(rule) for rule in rules}
    found[HERE / "rules" / "README.md"] = _write_index()
    found[HERE / "options.md"] = _write_options()
    found[HERE / "api.md"] = _write_interface()
    return found


# -- rules and options


def _write_index() -> str:
    rows = [
        (
            f"[{rule.code}]({rule.name}.md)",
            rule.name,
            rule.severity.value,
            summarise_rule(rule),
        )
        for rule in catalogue().rules.values()
    ]
    table = _write_table(("code", "name", "severity", "finds"), rows)
    return "\n".join(["# Rules", "", *table, ""])


def _write_options() -> str:
    return "\n".join(
        [
            "# Options",
            "",
            "In `[tool.shapelint]` of `pyproject.toml`, or in `shapelint.toml`; "
            "the command line beats them.",
            "",
            *_option_table(OPTIONS),
            "",
            "## `[[tool.shapelint.targets]]`",
            "",
            "A model that `shapelint check` alone checks:",
            "",
            EXAMPLE,
            "",
            *_option_table(TARGET_OPTIONS),
            "",
        ]
    )


def _option_table(options: dict[str, Option]) -> list[str]:
    rows = []
    for option in options.values():
        kind = TYPES.get(option.type, option.type.__name__)
        rows.append((f"`{option.name}`", kind, f"`{option.default!r}`", option.help))
    return _write_table(("option", "type", "default", "what it does"), rows)


def _write_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [f"| {' | '.join(cells)} |" for cells in (head, *rows)]
    return [lines[0], "|" + "---|" * len(head), *lines[1:]]


# -- the Python interface


def _write_interface() -> str:
    """What `import shapelint` gives, from the docstrings."""
    parts = ["# Python interface", "", inspect.getdoc(shapelint) or "", ""]
    for name in API:
        value = getattr(shapelint, name)
        parts += _describe(name, value, "##")
        if inspect.isclass(value):
            for own, member in _public_members(value):
                parts += _describe(own, member, "###")
    return "\n".join([*parts, "## Inputs", "", _describe_inputs(), ""])


def _public_members(owner: type) -> Iterable[tuple[str, object]]:
    """The methods and properties of a class that have a docstring, in their order."""
    for name, member in vars(owner).items():
        is_public = not name.startswith("_") and inspect.getdoc(member)
        if is_public and (callable(member) or isinstance(member, property)):
            yield name, member


def _describe(name: str, value: object, level: str) -> list[str]:
    title = name
    if inspect.isclass(value):
        title = f"class {name}"
    elif callable(value):
        title = name + _signature_of(value)
    doc = inspect.getdoc(value) or ""
    return [f"{level} `{title}`", "", "```text", doc, "```", ""]


def _signature_of(function: object) -> str:
    """A signature with annotations as they are written, and without `self`."""
    assert callable(function)
    signature = str(inspect.signature(function))
    signature = signature.replace("self, ", "").replace("(self)", "()")
    # Annotations that are not evaluated are strings: `'int'`.
    return re.sub(r"(: |-> )'([^']*)'", r"\1\2", signature)


def _describe_inputs() -> str:
    """The string below the alias `Inputs`: aliases have no docstring to ask for."""
    module = inspect.getmodule(shapelint.check)
    assert module is not None
    after = inspect.getsource(module).partition("\nInputs = object\n")[2]
    return after.split('"""')[1].strip()


def main() -> None:
    """Write every page, and the picture of the README."""
    for path, text in pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    words = [sys.executable, "-m", "shapelint", *PICTURE]
    words += ["--output-file", str(HERE / "small_cnn.svg")]
    # Its exit code is 1: the picture shows a finding.
    subprocess.run(words, cwd=HERE.parent, check=False)


if __name__ == "__main__":
    main()
