"""The log of a training: every step once, also behind a stop; as CSV, as TensorBoard events and as curves."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.summary.writer import event_file_writer

from aesth.training import logs
from aesth.training import train as loop
from aesth.training.features import Extractor, frozen_features
from aesth.training.logs import COLUMNS, Step, TrainingLog, draw_curves, read_log
from aesth.training.run import Run
from aesth.training.train import fresh_encoder, train
from support.training import make_study, recipe

BEFORE = {"warm_up": 0, "fine_tune": 6}
STEPS = [Step("warm_up", n, 6, 1 / n, 0.1, 12, 0.5, 0.125) for n in range(1, 7)] + [
    Step("fine_tune", n, 4, 1.5 / n, 0.01, 8, 0.25, 0.0) for n in range(1, 5)
]
STUDY, PIXELS = make_study()
FEATURES = frozen_features(Extractor(fresh_encoder(recipe(), None)), PIXELS)


def write(folder: Path, steps: list[Step], kept: int = 0) -> None:
    with TrainingLog(folder, BEFORE, kept) as log:
        for step in steps:
            log.write(step)


@pytest.fixture(autouse=True)
def _events_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorBoard sorts files of one second by the text of a number, of which 10 comes before 9."""
    monkeypatch.setattr(event_file_writer, "_global_uid", event_file_writer.AtomicCounter(1000))


def events(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Tag -> (step, value), as TensorBoard shows them."""
    found = EventAccumulator(str(folder / "events")).Reload()
    return {tag: [(event.step, event.value) for event in found.Scalars(tag)] for tag in found.Tags()["scalars"]}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write(tmp_path, STEPS)
    assert read_log(tmp_path / "log.csv") == STEPS
    with (tmp_path / "log.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert tuple(rows[0]) == COLUMNS == ("stage", "step", "steps", "error", "rate", "pictures", "seconds", "waited")
    assert rows[1] == ["warm_up", "1", "6", "1.0", "0.1", "12", "0.5", "0.125"]


@pytest.mark.parametrize(("seconds", "seen"), [(0.0, 3), (1e9, 1)])
def test_slow_steps_are_seen_before_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, seen: int
) -> None:
    monkeypatch.setattr(logs, "FLUSH_AFTER", seconds)
    with TrainingLog(tmp_path, BEFORE, 0) as log:
        for step in STEPS[:3]:
            log.write(step)
        assert read_log(tmp_path / "log.csv") == STEPS[:seen]


def test_tensorboard_shows_every_scalar_of_both_stages_in_one_row(tmp_path: Path) -> None:
    write(tmp_path, STEPS)
    shown = events(tmp_path)
    assert set(shown) == {
        f"{stage}/{name}" for stage in BEFORE for name in ("error", "rate", "images_per_second", "waited")
    }
    assert shown["warm_up/error"] == [(n, pytest.approx(1 / n)) for n in range(1, 7)]
    assert shown["fine_tune/error"] == [(6 + n, pytest.approx(1.5 / n)) for n in range(1, 5)]
    assert shown["warm_up/images_per_second"][0] == (1, 24.0)


@pytest.mark.parametrize(("written", "kept"), [(5, 4), (5, 5), (8, 6), (9, 8), (10, 1)])
@pytest.mark.parametrize("cut", [0, 1, 9])
def test_behind_a_stop_each_step_is_there_once(tmp_path: Path, written: int, kept: int, cut: int) -> None:
    """A killed process leaves steps that are done again, and perhaps half a line."""
    write(tmp_path, STEPS[:written])
    path = tmp_path / "log.csv"
    if kept < written:
        path.write_bytes(path.read_bytes()[: -cut or None])
    write(tmp_path, STEPS[kept:], kept)
    assert read_log(path) == STEPS
    for tag, shown in events(tmp_path).items():
        stage = tag.partition("/")[0]
        assert [step for step, _ in shown] == [BEFORE[one.stage] + one.step for one in STEPS if one.stage == stage]


def test_a_training_that_begins_again_begins_a_new_log(tmp_path: Path) -> None:
    write(tmp_path, STEPS)
    write(tmp_path, STEPS[:2])
    assert read_log(tmp_path / "log.csv") == STEPS[:2]
    assert [step for step, _ in events(tmp_path)["warm_up/error"]] == [1, 2]
    assert "fine_tune/error" not in events(tmp_path)


def test_a_log_that_gets_no_step_stays_as_it_is(tmp_path: Path) -> None:
    write(tmp_path, STEPS)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}
    write(tmp_path, [], 3)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == before


def test_errors_that_are_no_numbers_are_logged(tmp_path: Path) -> None:
    write(tmp_path, [Step("warm_up", 1, 6, math.inf, 0.1), Step("warm_up", 2, 6, math.nan, 0.1)])
    assert math.isinf(read_log(tmp_path / "log.csv")[0].error)
    assert math.isnan(read_log(tmp_path / "log.csv")[1].error)


@pytest.mark.parametrize("stop_at", [3, 6, 9])
def test_a_stopped_and_resumed_training_logs_what_a_whole_one_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_at: int
) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_EVERY", 2)
    told: list[Step] = []

    def stop(step: Step) -> None:
        told.append(step)
        if len(told) == stop_at:
            raise KeyboardInterrupt

    for folder, on_step in (("stopped", stop), ("stopped", told.append), ("whole", told.append)):
        try:
            train(recipe(), STUDY, PIXELS, tmp_path / folder, features=FEATURES, on_step=on_step)
        except KeyboardInterrupt:
            assert len(read_log(tmp_path / folder / "log.csv")) == stop_at
    logs = [
        [
            (step.stage, step.step, step.error, step.rate, step.pictures)
            for step in read_log(tmp_path / name / "log.csv")
        ]
        for name in ("stopped", "whole")
    ]
    assert logs[0] == logs[1]
    assert len(logs[0]) == 10
    assert [step for step, _ in events(tmp_path / "stopped")["fine_tune/error"]] == [7, 8, 9, 10]
    assert told[-1].pictures > 0
    assert 0 <= told[-1].waited <= told[-1].seconds


@pytest.mark.usefixtures("drawn_curves")
def test_a_run_leaves_curves(tiny_data: Path, tmp_path: Path) -> None:
    how = recipe(sampling={"damage_kinds": 1})
    Run(how, tiny_data, tmp_path).train(2, resume=True)
    curves = tmp_path / "fold-2" / "curves.png"
    with Image.open(curves) as image:
        assert image.format == "PNG"
        assert min(image.size) > 400
    drawn = curves.stat().st_mtime_ns
    draw_curves(tmp_path / "fold-2")
    assert curves.stat().st_mtime_ns == drawn, "nothing new to draw"


def test_without_a_log_there_are_no_curves(tmp_path: Path) -> None:
    draw_curves(tmp_path)
    assert list(tmp_path.iterdir()) == []
