"""A stop that was asked for comes after a step, a picture or a fit; what is there by then is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from aesth.preprocess import Preprocess
from aesth.training.evaluate import norms_of, projected_norms
from aesth.training.features import Extractor, frozen_features
from aesth.training.logs import Step
from aesth.training.networks import AestheticEncoder
from aesth.training.progress import bars, counted
from aesth.training.run import reported, run
from aesth.training.stopping import stop_if_asked, stopped_by
from aesth.training.views import View, render_all
from support.training import FITTED_FILE, SIDE, make_study, recipe

STUDY, PIXELS = make_study()


@contextmanager
def stopped_when(asked: Callable[[], bool]) -> Iterator[None]:
    """What is inside ends by the first question whether to stop for which ``asked`` is true."""

    def check() -> None:
        if asked():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), stopped_by(check):
        yield


def test_nothing_is_stopped_unless_that_was_asked_for() -> None:
    stop_if_asked()
    with stopped_when(lambda: True):
        stop_if_asked()
        pytest.fail("it was asked for")
    stop_if_asked()


def test_it_is_asked_after_each_thing_that_is_counted() -> None:
    done: list[int] = []
    with stopped_when(lambda: len(done) == 2), counted("things", 5) as advance:
        for thing in range(5):
            done.append(thing)
            advance(1)
    assert done == [0, 1]


def test_it_is_asked_after_each_step_that_is_shown() -> None:
    done: list[int] = []
    with stopped_when(lambda: len(done) == 2), bars("note") as progress:
        report = reported(progress, "tiny", {"warm_up": 5})
        for step in range(1, 6):
            done.append(step)
            report(Step("warm_up", step, 5, 0.0, 0.1))
    assert done == [1, 2]


def test_it_is_asked_after_each_batch_whose_progress_is_not_shown() -> None:
    encoder = AestheticEncoder(recipe().encoder).eval()
    extractor = Extractor(encoder)
    features = frozen_features(extractor, PIXELS[:40])
    for work in (
        lambda: norms_of(lambda batch: np.ones((len(batch), 1000), np.float32), PIXELS[:40]),
        lambda: projected_norms(encoder, features),
        lambda: frozen_features(extractor, PIXELS[:40]),
    ):
        asked: list[bool] = []
        with stopped_by(lambda told=asked: told.append(True)):  # type: ignore[misc]
            work()
        assert len(asked) == 2


def test_pictures_that_threads_render_are_stopped_and_leave_no_part_of_a_file(tiny_data: Path, tmp_path: Path) -> None:
    views = [View(path) for path in sorted((tiny_data / "oasis" / "images").iterdir())]
    done: list[int] = []
    with stopped_when(lambda: len(done) >= 3), counted("pictures", len(views)) as advance:

        def on_progress(count: int) -> None:
            done.append(count)
            advance(count)

        preprocess = Preprocess((SIDE, SIDE))
        render_all(views, preprocess, tmp_path / "views.npy", jobs=2, on_progress=on_progress)
    assert 3 <= len(done) < len(views)
    assert not list(tmp_path.iterdir())


def test_a_run_that_is_stopped_after_its_fit_does_not_fit_again(
    tiny_data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config, out = tmp_path / "tiny.toml", tmp_path / "out"
    config.write_text(FITTED_FILE.replace("[adapt]\nsteps = 2", "[adapt]\nsteps = 0"))
    head = out / "all" / "head.pt"
    with stopped_when(head.is_file):
        run(config=config, data=tiny_data, out=out)
    assert "fitting the head" in capfd.readouterr().err
    assert not (out / "all" / "encoder.pt").exists()
    assert run(config=config, data=tiny_data, out=out).is_file()
    assert "fitting the head" not in capfd.readouterr().err


def test_a_run_that_is_stopped_before_its_fit_does_not_begin_it(tiny_data: Path, tmp_path: Path) -> None:
    config, out = tmp_path / "tiny.toml", tmp_path / "out"
    config.write_text(FITTED_FILE.replace("[adapt]\nsteps = 2", "[adapt]\nsteps = 0"))
    with stopped_when((out / "features-grey.json").is_file):
        run(config=config, data=tiny_data, out=out)
    assert not (out / "all").exists()
