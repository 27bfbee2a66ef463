"""A process that reads files. Each line of standard input is a request, and each line
of standard output its result."""

from __future__ import annotations

import json
import os
from typing import Any

from shapelint.process.supervise import Inbox, own_input


def main() -> None:
    """Answer requests until standard input is closed."""
    from shapelint.asked.request import Read, load_request
    from shapelint.facts.plain import to_plain
    from shapelint.sources.read_source import read_files
    from shapelint.syntax.parsing import run_with_deep_stack
    from shapelint.syntax.texts import DISK

    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    inbox = Inbox(own_input())

    def answer_all() -> None:
        while True:
            asked: dict[str, Any] = json.loads(inbox.next())
            request = load_request(asked["request"])
            assert isinstance(request, Read)
            known = {
                (file, name): tuple(layers) for file, name, layers in asked["known"]
            }
            texts = DISK.with_copies(request.texts)
            found = read_files(asked["files"], request, texts, known)
            plain = [to_plain(item) for item in found.diagnostics]
            answers.write(json.dumps([plain, sorted(found.acted), found.faults]) + "\n")
            answers.flush()

    run_with_deep_stack(answer_all)
