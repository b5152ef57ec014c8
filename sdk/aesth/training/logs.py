"""What a training went through, step by step: a CSV file, TensorBoard events, and curves as a picture."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import TextIO

import numpy as np
from numpy.typing import NDArray
from torch.utils.tensorboard import SummaryWriter

from aesth.training.files import replacing

FLUSH_AFTER = 10.0
"""Seconds after which a log is put on disk, also without a checkpoint: slow steps are to be seen too."""

CSV_FILE, EVENTS, CURVES = "log.csv", "events", "curves.png"
SCALARS = ("error", "rate", "images_per_second", "waited")


@dataclass(frozen=True)
class Step:
    """What a step of the loop reports.

    Attributes:
        stage: ``distil``, ``adapt``, ``warm_up`` or ``fine_tune``.
        step: its number, from 1.
        steps: how many the stage has.
        error: the loss of the step.
        rate: its learning rate.
        pictures: how many different ones it took, in all processes.
        seconds: how long it took.
        waited: the part of that in which the pictures were not there yet.
    """

    stage: str
    step: int
    steps: int
    error: float
    rate: float
    pictures: int = 0
    seconds: float = math.nan
    waited: float = math.nan

    @property
    def images_per_second(self) -> float:
        """Pictures a second; NaN where it was not timed."""
        return self.pictures / self.seconds if self.seconds else math.nan


COLUMNS = tuple(field.name for field in fields(Step))


class TrainingLog:
    """The log of a training in its folder: each step once, also where a killed training went on.

    TensorBoard counts the steps of all stages in one row.

    Args:
        folder: of the training.
        before: stage -> number of steps in the stages before it.
        kept: steps, of all stages, behind which the training goes on; what the log says of later ones is dropped.
    """

    def __init__(self, folder: Path, before: Mapping[str, int], kept: int) -> None:
        self._folder, self._before, self._kept = folder, before, kept
        self._file: TextIO | None = None
        self._events: SummaryWriter | None = None
        self._due = 0.0

    def __enter__(self) -> TrainingLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None and self._events is not None:
            self._file.close()
            self._events.close()

    def write(self, step: Step) -> None:
        """Add a step."""
        file, events = self._open()
        csv.DictWriter(file, COLUMNS).writerow(asdict(step))
        count = self._before[step.stage] + step.step
        for name in SCALARS:
            value = getattr(step, name)
            if not math.isnan(value):
                events.add_scalar(f"{step.stage}/{name}", value, count)
        if time.monotonic() >= self._due:
            self.flush()

    def flush(self) -> None:
        """Put on disk what was written; a checkpoint comes after it, so that no step is lost between the two."""
        if self._file is not None and self._events is not None:
            self._file.flush()
            self._events.flush()
            self._due = time.monotonic() + FLUSH_AFTER

    def _open(self) -> tuple[TextIO, SummaryWriter]:
        """Files to append to, opened with the first step: a log that gets none stays as it is."""
        if self._file is None or self._events is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            _drop_later(self._folder / CSV_FILE, self._before, self._kept)
            self._file = (self._folder / CSV_FILE).open("a", encoding="utf-8", newline="")
            events = self._folder / EVENTS
            if not self._kept:
                for old in events.glob("events.out.tfevents.*"):
                    old.unlink()
            # Readers drop what earlier files say of this step and later ones.
            purge = self._kept + 1 if self._kept else None
            self._events = SummaryWriter(str(events), purge_step=purge)
        return self._file, self._events


def read_log(path: Path) -> list[Step]:
    """The steps in a CSV file, without a last line that was cut off; none where there is no file."""
    if not path.is_file():
        return []
    whole, _, _ = path.read_text("utf-8").rpartition("\n")
    rows = csv.DictReader(whole.splitlines())
    return [
        Step(
            row["stage"],
            int(row["step"]),
            int(row["steps"]),
            float(row["error"]),
            float(row["rate"]),
            int(row["pictures"]),
            float(row["seconds"]),
            float(row["waited"]),
        )
        for row in rows
    ]


def draw_curves(folder: Path) -> None:
    """Draw the error and the learning rate of the log in ``folder`` as a PNG beside it, unless that was done."""
    log, curves = folder / CSV_FILE, folder / CURVES
    steps = read_log(log)
    if not steps or (curves.is_file() and curves.stat().st_mtime_ns >= log.stat().st_mtime_ns):
        return
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # slow to load, and only one process draws
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5))
    # A layout that is computed would draw all twice.
    figure.subplots_adjust(left=0.09, right=0.9, bottom=0.12, top=0.96)
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    count = np.arange(1, len(steps) + 1)
    errors = np.array([step.error for step in steps])
    axes.plot(count, errors, color="tab:blue", alpha=0.3, linewidth=0.8)
    axes.plot(count, _running_mean(errors), color="tab:blue")
    axes.set(xlabel="step", ylabel="error", ylim=(0, None))
    for place in [index for index in range(1, len(steps)) if steps[index].stage != steps[index - 1].stage]:
        axes.axvline(place + 0.5, color="grey", linestyle=":")
    rates = axes.twinx()
    rates.plot(count, [step.rate for step in steps], color="tab:orange", drawstyle="steps-mid")
    rates.set(ylabel="learning rate", yscale="log")
    with replacing(curves) as partial:
        figure.savefig(partial, format="png", dpi=120)


def _running_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the last hundredth of the training, at each step."""
    width = max(1, len(values) // 100)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    begins = np.maximum(ends - width, 0)
    means: NDArray[np.float64] = (sums[ends] - sums[begins]) / (ends - begins)
    return means


def _drop_later(path: Path, before: Mapping[str, int], kept: int) -> None:
    """Rewrite a CSV file with its header and the first ``kept`` steps."""
    steps = [step for step in read_log(path) if before[step.stage] + step.step <= kept]
    with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(asdict(step) for step in steps)
