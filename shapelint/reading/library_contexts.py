"""The effects of library contexts and decorators, by the last part of their names."""

from __future__ import annotations

from shapelint.reading.vocabulary import split_words

NOT_RECORDING = frozenset(("no_grad", "inference_mode"))
"""torch.no_grad, torch.inference_mode: autograd does not record inside them."""

SWALLOWING_CONTEXTS = frozenset(
    ("suppress", "raises", "assertRaises", "assertRaisesRegex")
)
"""Contexts that swallow exceptions: contextlib.suppress, pytest.raises,
unittest.TestCase.assertRaises."""

HARMLESS_DECORATORS = split_words(
    # the standard library
    "staticmethod classmethod property wraps lru_cache cache overload dataclass"
    " abstractmethod contextmanager cached_property setter"
    # click, typer, hydra, sacred, pytest, beartype, torchelastic's `record`
    " main command option argument fixture beartype hydra ex task record timer"
    # torch.jit.script, torch.jit.export, torch.compile, torch.amp.custom_fwd
    " script export compile custom_fwd custom_bwd"
)
"""Parts of the names of decorators that switch neither modes nor gradients."""
