"""Writes a rule's page from the docstring and examples of its class."""

from __future__ import annotations

import inspect

from shapelint.facts.findings import Example, Rule
from shapelint.reading.source_rule import SourceRule


def summarise_rule(rule: Rule) -> str:
    """The first sentence of "What it does"."""
    # A rule without this section fails here, and with it the tests of the pages.
    lines = (inspect.getdoc(rule) or "").splitlines()
    start = lines.index("## What it does") + 1
    body = " ".join(line.strip() for line in lines[start:])
    section = body.split("##")[0]
    return section.split(". ")[0].strip().rstrip(".")


def rule_line(rule: Rule) -> str:
    """A rule in one line of the list."""
    severity = rule.severity.value
    return f"{rule.code}  {rule.name:<26}  {severity:<7}  {summarise_rule(rule)}"


def rule_page(rule: Rule) -> str:
    """The page in Markdown: the docstring, then the examples that its tests run."""
    parts = [
        f"# {rule.name} ({rule.code})",
        f"Severity: {rule.severity.value}",
        inspect.getdoc(rule) or "",
    ]
    for title, example in (("Example", rule.bad), ("Use instead", rule.good)):
        if example is not None:
            parts += _write_example(title, example)
    if isinstance(rule, SourceRule):
        check = "\n`shapelint check train.py`"
        parts.append(_write_code("Example", rule.bad_script.strip()) + check)
        parts.append(_write_code("Use instead", rule.good_script.strip()))
    parts.append(f"Leave it out with `--ignore {rule.code}` or `--ignore {rule.name}`.")
    return "\n\n".join(parts) + "\n"


def _write_example(title: str, example: Example) -> list[str]:
    inputs = " ".join(f"--input {spec}" for spec in example.inputs)
    command = f"shapelint check net.py:{example.target} {inputs}"
    code = example.source.strip("\n")
    parts = [f"{_write_code(title, code)}\n`{command}`"]
    if example.raises:
        raises = f"Eager PyTorch raises{_when(example)}:"
        parts.append(f"{raises}\n```text\n{example.raises}\n```")
    return parts


def _write_code(title: str, code: str) -> str:
    return f"## {title}\n```python\n{code}\n```"


def _when(example: Example) -> str:
    if example.moved:
        return " once the model is moved to another device (here the meta device)"
    return " in `backward()`" if example.backward else ""
