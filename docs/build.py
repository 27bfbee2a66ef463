"""Write the rules' pages from the rules' files: `make docs`."""

from __future__ import annotations

from pathlib import Path

from shapelint.config import OPTIONS, TARGET_OPTIONS, Option
from shapelint.render.rules import rule_page, summary
from shapelint.rules import catalogue

HERE = Path(__file__).parent


EXAMPLE = """```toml
[[tool.shapelint.targets]]
target = "models/net.py:Net(10)"
inputs = ["1,3,224,224"]
expect = ["1,10"]
```"""
TYPES = {list: "list of strings", tuple: "array of tables", dict: "table", str: "string", int: "integer"}


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
        f"| [{rule.code}]({rule.name}.md) | {rule.name} | {rule.severity.value} | {summary(rule)} |" for rule in rules
    ]
    index = ["# Rules", "", "| code | name | severity | finds |", "|---|---|---|---|", *rows, ""]
    found = {HERE / "rules" / f"{rule.name}.md": rule_page(rule) for rule in rules}
    found[HERE / "rules" / "README.md"] = "\n".join(index)
    head = [
        "# Options",
        "",
        "In `[tool.shapelint]` of `pyproject.toml`, or in `shapelint.toml`; the command line beats them.",
        "",
    ]
    more = ["", "## `[[tool.shapelint.targets]]`", "", "A model that `shapelint check` alone checks:", "", EXAMPLE, ""]
    found[HERE / "options.md"] = "\n".join([*head, *_table(OPTIONS), *more, *_table(TARGET_OPTIONS), ""])
    return found


def main() -> None:
    for path, text in pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
