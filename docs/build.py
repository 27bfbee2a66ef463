"""Write the rules' pages from the rules' files: `make docs`."""

from __future__ import annotations

from pathlib import Path

from shapelint.config import OPTIONS
from shapelint.render.rules import rule_page, summary
from shapelint.rules import catalogue

HERE = Path(__file__).parent


def pages() -> dict[Path, str]:
    """Every generated page, by its path."""
    rules = catalogue().rules.values()
    rows = [
        f"| [{rule.code}]({rule.name}.md) | {rule.name} | {rule.severity.value} | {summary(rule)} |" for rule in rules
    ]
    index = ["# Rules", "", "| code | name | severity | finds |", "|---|---|---|---|", *rows, ""]
    found = {HERE / "rules" / f"{rule.name}.md": rule_page(rule) for rule in rules}
    found[HERE / "rules" / "README.md"] = "\n".join(index)
    options = [
        f"| `{option.name}` | {option.type.__name__} | `{option.default}` | {option.help} |"
        for option in OPTIONS.values()
    ]
    head = ["# Options", "", "In `[tool.shapelint]` of `pyproject.toml`; the command line beats them.", ""]
    found[HERE / "options.md"] = "\n".join(
        [*head, "| option | type | default | what it does |", "|---|---|---|---|", *options, ""]
    )
    return found


def main() -> None:
    for path, text in pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
