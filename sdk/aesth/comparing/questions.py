"""The questions of one sitting, and their answers. Knows nothing of browsers; threads may share it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from threading import RLock

import numpy as np

from aesth.apps.personal.asking import next_pair
from aesth.apps.personal.choices import Looks, Pairs


class Answer(Enum):
    """What a person says of two photos."""

    LEFT = "left"
    RIGHT = "right"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Question:
    """Where a sitting is.

    Attributes:
        number: of the question, from 0 on; by it an answer that comes twice is told.
        pair: the numbers of the photos on the left and on the right.
        following: those of the question after it, whatever the answer is, so that they can be loaded ahead.
        chosen: how many choices there are, with those of earlier sittings.
        can_undo: whether there is an answer of this sitting to take back.
    """

    number: int
    pair: tuple[int, int]
    following: tuple[int, int]
    chosen: int
    can_undo: bool


class Questions:
    """Asks which of two photos a person likes better.

    Args:
        looks: of the photos, two at least.
        earlier: choices of earlier sittings: the better photo, the other.
        on_change: told of all choices, earlier ones included, whenever they change.
        seed: of what is drawn.
    """

    def __init__(
        self,
        looks: Looks,
        earlier: Sequence[tuple[int, int]] = (),
        on_change: Callable[[Sequence[tuple[int, int]]], None] = lambda _: None,
        seed: int | None = None,
    ) -> None:
        self._looks = looks
        self._earlier = list(earlier)
        self._on_change = on_change
        self._random = np.random.default_rng(seed)
        self._pairs: list[tuple[int, int]] = []
        self._answers: list[Answer] = []
        self._lock = RLock()

    def now(self) -> Question:
        """The question that is to be answered."""
        with self._lock:
            number = len(self._answers)
            while len(self._pairs) < number + 2:
                shown = [*self._earlier, *self._pairs]
                self._pairs.append(next_pair(self._looks, self.choices(), shown, self._random))
            chosen = len(self._choices())
            return Question(number, self._pairs[number], self._pairs[number + 1], chosen, number > 0)

    def answer(self, number: int, answer: Answer) -> Question:
        """Take the answer to a question, and ask the next; what is no answer to the question of now changes nothing."""
        with self._lock:
            if number == len(self._answers) < len(self._pairs):
                self._answers.append(answer)
                if answer is not Answer.SKIP:
                    self._on_change(self._choices())
            return self.now()

    def undo(self) -> Question:
        """Take back the last answer of this sitting, and ask the same again."""
        with self._lock:
            if self._answers and self._answers.pop() is not Answer.SKIP:
                self._on_change(self._choices())
            return self.now()

    def choices(self) -> Pairs:
        """All choices: the numbers of the better photo and of the other, (n, 2)."""
        with self._lock:
            return np.array(self._choices(), np.intp).reshape(-1, 2)

    def _choices(self) -> list[tuple[int, int]]:
        made = [*self._earlier]
        for (left, right), answer in zip(self._pairs, self._answers, strict=False):
            if answer is not Answer.SKIP:
                made.append((left, right) if answer is Answer.LEFT else (right, left))
        return made
