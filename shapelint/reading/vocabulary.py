"""Words in names, and what they say about the named things.

Training code is read without running it, so names are evidence: `val_loader` is for
validation, `student_net` is a model. No word decides alone; each is weighed with the
way the thing is used."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from functools import lru_cache


class Purpose(Enum):
    """The purpose of a loop or function, as far as its names state one."""

    EVAL = "eval"
    TRAIN = "train"
    UNKNOWN = ""


def split_words(text: str) -> frozenset[str]:
    """The words of a text as a set."""
    return frozenset(text.split())


EVAL_WORDS = split_words(
    "val valid validation validate validating vali validset valset test testing"
    " testset tst dev devset holdout eval evaluate evaluation evaluating evaluator"
    " predict prediction predictions predicting infer inference inferring"
)

TRAIN_WORDS = split_words(
    "train training trn trainset fit finetune pretrain update learn optimize optimise"
)

MODEL_WORDS = split_words(
    "model net network classifier encoder decoder generator discriminator backbone"
    " unet resnet cnn mlp gan vae transformer detector critic actor policy student"
    " teacher"
)
"""Words in the names of models."""

PART_WORDS = split_words(
    "encoder decoder embedding embeddings extractor feature features classifier head"
    " backbone layer layers net network model attention fc mlp conv generator stem"
)
"""Words in the names of submodules."""

COMPUTING_WORDS = split_words(
    "forward call predict prediction predictions proba logits score scores generate"
    " sample encode decode embed extract infer inference transform reconstruct classify"
    " translate transcribe caption detect segment beam search run evaluate act compute"
    " likelihood posterior loss elbo energy prob nll similarity"
)
"""Words in the names of methods of a model that compute with it."""

TRAINING_WORDS = split_words("backward optimize update backprop step adapt minimize")
"""Words in the names of functions that train with their arguments."""

OPTIMIZER_WORDS = split_words("optimizer optim opt optimiser optimizers")

DATA_WORDS = split_words(
    "loader dataloader dataset data datasets loaders batch batches epochs corpus"
)
"""Words in the names of arguments of a framework's own `train` method."""


@lru_cache(maxsize=4096)
def words_of(name: str) -> frozenset[str]:
    """The words of a name in lower case: `valLoader` and `val_loader` both give `val`
    and `loader`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return frozenset(word.lower() for word in re.split(r"[^A-Za-z]+", spaced) if word)


def words_of_all(names: Iterable[str]) -> set[str]:
    """The words of several names together."""
    return {word for name in names for word in words_of(name)}


def find_purpose(names: Iterable[str]) -> Purpose:
    """The purpose that names state; unknown if they state both, as `train_test_split`
    does."""
    words = words_of_all(names)
    is_eval = not words.isdisjoint(EVAL_WORDS)
    is_train = not words.isdisjoint(TRAIN_WORDS)
    if is_eval == is_train:
        return Purpose.UNKNOWN
    return Purpose.EVAL if is_eval else Purpose.TRAIN
