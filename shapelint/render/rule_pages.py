"""A rule's page, from the rule's own file."""

from __future__ import annotations

import inspect

from shapelint.facts.findings import Rule
from shapelint.reading.source_rule import SourceRule


def summary(rule: Rule) -> str:
    """The first sentence of "What it does"."""
    lines = (inspect.getdoc(rule) or "").splitlines()
    body = " ".join(
        line.strip() for line in lines[lines.index("## What it does") + 1 :]
    )
    return body.split("##")[0].split(". ")[0].strip().rstrip(".")


def rule_line(rule: Rule) -> str:
    """One line for the list."""
    return f"{rule.code}  {rule.name:<26}  {rule.severity.value:<7}  {summary(rule)}"


def rule_page(rule: Rule) -> str:
    """Markdown: the docstring, then the examples that its tests run."""
    parts = [
        f"# {rule.name} ({rule.code})",
        f"Severity: {rule.severity.value}",
        inspect.getdoc(rule) or "",
    ]
    for title, example in (("Example", rule.bad), ("Use instead", rule.good)):
        if example is not None:
            command = " ".join(f"--input {spec}" for spec in example.inputs)
            code = example.source.strip("\n")
            parts.append(
                f"## {title}\n```python\n{code}\n```\n`shapelint check net.py:{example.target} {command}`"
            )
            if example.raises:
                where = " in `backward()`" if example.backward else ""
                where = (
                    " once the model is moved to another device (here the meta device)"
                    if example.moved
                    else where
                )
                parts.append(
                    f"Eager PyTorch raises{where}:\n```text\n{example.raises}\n```"
                )
    if isinstance(rule, SourceRule):
        parts.append(
            f"## Example\n```python\n{rule.bad_script.strip()}\n```\n`shapelint check train.py`"
        )
        parts.append(f"## Use instead\n```python\n{rule.good_script.strip()}\n```")
    parts.append(f"Leave it out with `--ignore {rule.code}` or `--ignore {rule.name}`.")
    return "\n\n".join(parts) + "\n"
