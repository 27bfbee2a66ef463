"""Write the pages of rules, options and the Python interface from where they are: `make
docs`."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import shapelint
from shapelint.asked.settings import OPTIONS, TARGET_OPTIONS, Option
from shapelint.render.rule_pages import rule_page, summary
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


def _table(options: dict[str, Option]) -> list[str]:
    rows = [
        f"| `{option.name}` | {TYPES.get(option.type, option.type.__name__)} | `{option.default!r}` | {option.help} |"
        for option in options.values()
    ]
    return ["| option | type | default | what it does |", "|---|---|---|---|", *rows]


def pages() -> dict[Path, str]:
    """Every generated page, by its path."""
    rules = catalogue().rules.values()
    rows = [
        f"| [{rule.code}]({rule.name}.md) | {rule.name} | {rule.severity.value} | {summary(rule)} |"
        for rule in rules
    ]
    index = [
        "# Rules",
        "",
        "| code | name | severity | finds |",
        "|---|---|---|---|",
        *rows,
        "",
    ]
    found = {HERE / "rules" / f"{rule.name}.md": rule_page(rule) for rule in rules}
    found[HERE / "rules" / "README.md"] = "\n".join(index)
    head = [
        "# Options",
        "",
        "In `[tool.shapelint]` of `pyproject.toml`, or in `shapelint.toml`; the command line beats them.",
        "",
    ]
    more = [
        "",
        "## `[[tool.shapelint.targets]]`",
        "",
        "A model that `shapelint check` alone checks:",
        "",
        EXAMPLE,
        "",
    ]
    found[HERE / "options.md"] = "\n".join(
        [*head, *_table(OPTIONS), *more, *_table(TARGET_OPTIONS), ""]
    )
    found[HERE / "api.md"] = _interface()
    return found


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


def _interface() -> str:
    """What `import shapelint` gives, from the docstrings."""
    parts = ["# Python interface", "", inspect.getdoc(shapelint) or "", ""]
    for name in API:
        value = getattr(shapelint, name)
        parts += _described(name, value, "##")
        if inspect.isclass(value):
            for own, member in vars(value).items():
                if (
                    not own.startswith("_")
                    and inspect.getdoc(member)
                    and (callable(member) or isinstance(member, property))
                ):
                    parts += _described(own, member, "###")
    inputs = inspect.getsource(
        inspect.getmodule(shapelint.check) or shapelint
    ).partition("Inputs = Any\n")[2]
    parts += ["## Inputs", "", inputs.split('"""')[1].strip(), ""]
    return "\n".join(parts)


def _unquoted(signature: str) -> str:
    """Annotations as they are written, without `self`."""
    return re.sub(
        r"(: |-> )'([^']*)'",
        r"\1\2",
        signature.replace("self, ", "").replace("(self)", "()"),
    )


def _described(name: str, value: Any, level: str) -> list[str]:
    signature = ""
    if callable(value) and not inspect.isclass(value):
        signature = _unquoted(str(inspect.signature(value)))
    kind = "class " if inspect.isclass(value) else ""
    return [
        f"{level} `{kind}{name}{signature}`",
        "",
        "```text",
        inspect.getdoc(value) or "",
        "```",
        "",
    ]


PICTURE = (
    "report",
    "fixtures/small_cnn.py:SmallCNN",
    "--input",
    "1,3,32,32",
    "--format",
    "svg",
)
"""What the README shows."""


def main() -> None:
    for path, text in pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    words = [
        sys.executable,
        "-m",
        "shapelint",
        *PICTURE,
        "--output-file",
        str(HERE / "small_cnn.svg"),
    ]
    subprocess.run(words, cwd=HERE.parent, check=False)


if __name__ == "__main__":
    main()
