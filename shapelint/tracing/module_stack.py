"""The modules whose forward is running, one inside the other."""

from __future__ import annotations

from torch import nn

from shapelint.facts.graph import Frame


class ModuleStack:
    """The modules whose forward is running, outermost first.

    `frames` is a tuple that calls may keep: it is replaced, never changed."""

    def __init__(self) -> None:
        self.frames: tuple[Frame, ...] = ()
        self._classes: tuple[type, ...] = ()
        self._calls = 0

    def __bool__(self) -> bool:
        return bool(self.frames)

    def push(self, path: str, module: nn.Module) -> None:
        """Enter the call of a module."""
        self._calls += 1
        frame = Frame(path, type(module).__name__, self._calls)
        self.frames = (*self.frames, frame)
        self._classes = (*self._classes, type(module))

    def pop(self) -> None:
        """Leave the call of the innermost module, which has returned or raised."""
        self.frames = self.frames[:-1]
        self._classes = self._classes[:-1]

    @property
    def layer(self) -> str:
        """The qualified name of the innermost module; empty at the top."""
        return self.frames[-1].path if self.frames else ""

    @property
    def serials(self) -> tuple[int, ...]:
        """The serial numbers of the running calls. Two stacks have the same numbers
        only within the same calls."""
        return tuple(frame.serial for frame in self.frames)

    def as_node_meta(self) -> dict[str, tuple[str, type]]:
        """The value that fx tools expect as `nn_module_stack`: name and class by
        name."""
        pairs = zip(self.frames, self._classes, strict=True)
        return {frame.path: (frame.path, module_class) for frame, module_class in pairs}
