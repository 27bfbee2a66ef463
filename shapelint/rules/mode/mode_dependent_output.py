"""SHP409."""

from __future__ import annotations

from collections.abc import Iterator

from shapelint.facts.diagnostics import Severity
from shapelint.facts.findings import Example, Finding, Rule
from shapelint.facts.graph import Trace
from shapelint.facts.kinds import Mode, NoPlace
from shapelint.facts.places import Span
from shapelint.facts.walked_target import Walked
from shapelint.syntax.trees import parse_file


class ModeDependentOutput(Rule):
    """
    ## What it does
    Finds models that return another structure or shape in eval mode than in train
    mode.

    ## Why is this bad?
    It may be intended, as with auxiliary heads. Where it is not, the code that unpacks
    the result breaks at the first validation.

    ## Fix
    The same structure in both modes, or code that checks `model.training` before it
    unpacks the result.

    ## References
    - torchvision.models.googlenet returns a named tuple in train mode and a tensor in
      eval mode"""

    code = "SHP409"
    name = "mode-dependent-output"
    severity = Severity.INFO
    bad = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 4)
        self.aux = nn.Linear(8, 4)

    def forward(self, x):
        if self.training:
            return self.fc(x), self.aux(x)
        return self.fc(x)
""",
        ("2,8",),
    )
    good = Example(
        """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 4)
        self.aux = nn.Linear(8, 4)

    def forward(self, x):
        return self.fc(x), self.aux(x)
""",
        ("2,8",),
    )

    def check(self, walked: Walked) -> Iterator[Finding]:
        trained, evaluated = walked.traces.get(Mode.TRAIN), walked.traces.get(Mode.EVAL)
        if trained is None or evaluated is None:
            return
        if not _is_certain(trained) or not _is_certain(evaluated):
            return
        if trained.output != evaluated.output:
            draft = self.diagnostic(
                f"the model returns {trained.output} in train mode and "
                f"{evaluated.output} in eval mode"
            )
            place = _find_forward(walked)
            yield Finding(draft.at(place, otherwise=NoPlace.NO_SOURCE))


def _is_certain(trace: Trace) -> bool:
    """Whether a walk had no failures and assumed nothing."""
    # A walk that assumed a value may have taken a branch that no run takes.
    has_output = trace.output is not None
    return has_output and not trace.failure_count and not trace.assumptions


def _find_forward(walked: Walked) -> Span | None:
    """The place where the model's `forward` is defined."""
    file, name = walked.homes.get("", ("", ""))
    source = parse_file(file, walked.texts) if file else None
    if source is None:
        return None
    forward = next(source.methods(name, "forward"), None)
    return Span(file, forward.lineno) if forward is not None else None
