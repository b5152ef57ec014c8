"""The rules of the SDK: lazy, in order, one error object a bad photo, whatever kind of photo is given."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from pathlib import Path
from threading import Barrier, Event

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import aesth
from aesth import AesthError, ConfigError, DecodeError, ProviderError, Scored, Scorer, registry
from aesth.encoder import OnnxEncoder
from aesth.scorer import BATCH_SIZE
from support.photos import as_stored, exif_of, photo


@pytest.fixture(scope="module")
def scorer(brightness: Path) -> Iterator[Scorer]:
    with Scorer(str(brightness), jobs=4) as scorer:
        yield scorer


def grey(value: int, size: tuple[int, int] = (40, 30)) -> Image.Image:
    return Image.new("RGB", size, (value, value, value))


def grey_photo(folder: Path, value: int) -> Path:
    return photo(folder / f"{value:03}.png", grey(value), "PNG")


def percent(value: int) -> object:
    return pytest.approx(100 * value / 255, abs=0.01)


def test_a_photo_gets_a_score_a_norm_stars_and_its_point(scorer: Scorer, tmp_path: Path) -> None:
    path = grey_photo(tmp_path, 204)
    scored = scorer.score_one(path)
    assert (scored.path, scored.error, scored.rating) == (path, None, 4)
    assert scored.score == pytest.approx(80, abs=0.01)
    assert scored.norm == pytest.approx(204, abs=0.01)
    assert scored.embedding is not None
    assert (scored.embedding.shape, scored.embedding.dtype) == ((1000,), np.float32)


def test_numbers_are_plain_python(scorer: Scorer) -> None:
    scored = scorer.score_one(grey(99))
    assert [type(value) for value in (scored.score, scored.norm, scored.rating)] == [float, float, int]


def test_paths_pil_images_and_arrays_give_the_same(scorer: Scorer, tmp_path: Path) -> None:
    path = grey_photo(tmp_path, 120)
    photos = [path, str(path), Image.open(path), grey(120), np.asarray(grey(120)), np.asarray(grey(120).convert("L"))]
    results = list(scorer.score(photos))
    assert [scored.score for scored in results] == [percent(120)] * len(photos)
    assert [scored.path for scored in results] == [path, path, None, None, None, None]


@given(st.lists(st.integers(0, 255) | st.none(), max_size=40))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_results_come_in_the_order_of_the_photos_and_bad_ones_stop_nothing(
    scorer: Scorer, values: list[int | None]
) -> None:
    results = list(scorer.score([Path("missing.jpg") if value is None else grey(value) for value in values]))
    assert len(results) == len(values)
    for scored, value in zip(results, values, strict=True):
        if value is None:
            assert isinstance(scored.error, DecodeError)
            assert scored == pytest.approx(scored)
            assert (scored.score, scored.norm, scored.rating, scored.embedding) == (None, None, None, None)
        else:
            assert scored.score == percent(value)
            assert scored.error is None


def test_the_order_stands_when_one_photo_takes_long(scorer: Scorer) -> None:
    sizes = [(3000, 3000), (10, 10), (2000, 2000), (10, 10)]
    results = scorer.score(grey(value, size) for value, size in zip(range(0, 200, 50), sizes, strict=True))
    assert [scored.score for scored in results] == [percent(value) for value in range(0, 200, 50)]


@pytest.mark.parametrize("bad", [b"", b"text", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n"])
def test_a_bad_file_is_one_error_that_names_it(scorer: Scorer, tmp_path: Path, bad: bytes) -> None:
    path = tmp_path / "bad.jpg"
    path.write_bytes(bad)
    scored = scorer.score_one(path)
    assert isinstance(scored.error, DecodeError)
    assert scored.path == scored.error.path == path


@pytest.mark.parametrize(
    "bad", [np.zeros((2, 2, 2), np.uint8), np.zeros((2, 2, 3)), Image.new("RGB", (0, 0)), None, 7, b"x"]
)
def test_what_is_no_photo_is_one_error(scorer: Scorer, bad: object) -> None:
    first, second = scorer.score([bad, grey(10)])
    assert isinstance(first.error, DecodeError)
    assert second.score == percent(10)


def test_photos_are_taken_only_a_few_ahead(scorer: Scorer) -> None:
    taken = count()
    endless = (grey(next(taken) % 256) for _ in count())
    assert [scored.score for scored in islice(scorer.score(endless), 20)] == [percent(value) for value in range(20)]
    assert next(taken) <= 20 + scorer.jobs + 2 * BATCH_SIZE


def test_nothing_is_taken_before_the_first_result_is_asked_for(scorer: Scorer) -> None:
    taken = count()
    results = scorer.score(grey(next(taken)) for _ in range(3))
    assert next(taken) == 0
    results.close()


def test_a_source_that_waits_for_results_gets_them(scorer: Scorer) -> None:
    given: list[int] = []
    results: list[Scored] = []

    def waits() -> bool:
        return len(given) % 5 == 0 and len(results) < len(given)

    def source() -> Iterator[Image.Image]:
        for value in range(0, 250, 10):
            assert not waits()
            given.append(value)
            yield grey(value)

    for scored in scorer.score(source(), waits):
        results.append(scored)
    assert [scored.score for scored in results] == [percent(value) for value in given]


def test_photos_that_are_decoded_do_not_wait_for_one_that_is_not(scorer: Scorer) -> None:
    slow = _Slow()
    results = scorer.score([grey(10), grey(20), slow, grey(30)])
    assert [next(results).score, next(results).score] == [percent(10), percent(20)]
    slow.released.set()
    assert next(results).error is not None
    assert next(results).score == percent(30)


class _Slow(os.PathLike[str]):
    """A path that is not known before it is released."""

    def __init__(self) -> None:
        self.released = Event()

    def __fspath__(self) -> str:
        assert self.released.wait(60)
        return "missing.jpg"


def test_a_photo_is_scored_upright(scorer: Scorer, tmp_path: Path) -> None:
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:, :16] = 255
    path = photo(tmp_path / "turned.png", as_stored(pixels, 6), "PNG", exif=exif_of(6))
    assert np.array_equal(scorer.embed([path]), scorer.embed([pixels]))


def test_stars_follow_the_cut_points(brightness: Path) -> None:
    with Scorer(str(brightness), cut_points=(1, 2, 3, 4), jobs=1) as scorer:
        assert scorer.score_one(grey(13)).rating == 5


def test_the_limit_of_pixels_can_be_set(brightness: Path, tmp_path: Path) -> None:
    with Scorer(str(brightness), max_pixels=1199, jobs=1) as scorer:
        error = scorer.score_one(grey_photo(tmp_path, 5)).error
    assert error is not None
    assert "limit" in error.message


def test_embeddings_come_in_order(scorer: Scorer) -> None:
    points = scorer.embed(grey(value) for value in range(0, 250, 10))
    assert (points.shape, points.dtype) == ((25, 1000), np.float32)
    assert points[:, 0] == pytest.approx(range(0, 250, 10), abs=0.01)


def test_embeddings_of_nothing(scorer: Scorer) -> None:
    assert scorer.embed([]).shape == (0, 1000)


def test_embed_raises_since_it_has_no_place_for_an_error(scorer: Scorer) -> None:
    with pytest.raises(DecodeError):
        scorer.embed([grey(1), "missing.jpg"])


def test_threads_share_a_scorer(scorer: Scorer) -> None:
    def scores(value: int) -> list[float | None]:
        return [scored.score for scored in scorer.score(grey(value) for _ in range(30))]

    with ThreadPoolExecutor(6) as pool:
        for value, results in enumerate(pool.map(scores, range(12))):
            assert results == [percent(value)] * 30


def test_a_run_may_be_left_in_the_middle(scorer: Scorer) -> None:
    results = scorer.score(grey(value) for value in range(100))
    next(results)
    results.close()
    assert scorer.score_one(grey(7)).score == percent(7)


def _score_in_child(scorer: Scorer, answer: object) -> None:
    try:
        answer.put(scorer.score_one(np.zeros((9, 9, 3), np.uint8)))
    except AesthError as error:
        answer.put(error.message)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_fork_is_refused_rather_than_left_hanging(scorer: Scorer) -> None:
    scorer.score_one(grey(1))
    forks = multiprocessing.get_context("fork")
    answer = forks.Queue()
    child = forks.Process(target=_score_in_child, args=(scorer, answer), daemon=True)
    child.start()
    try:
        assert "fork" in answer.get(timeout=30)
    finally:
        child.kill()
        child.join()


def test_a_closed_scorer_says_so(brightness: Path) -> None:
    with Scorer(str(brightness), jobs=1) as scorer:
        pass
    with pytest.raises(AesthError, match="closed"):
        scorer.score_one(grey(1))
    scorer.close()


def test_a_missing_provider_is_an_error_not_a_fall_back(brightness: Path) -> None:
    with pytest.raises(ProviderError):
        Scorer(str(brightness), providers=["coreml" if os.uname().sysname == "Linux" else "rocm"])


def test_an_unknown_model_is_an_error() -> None:
    with pytest.raises(ConfigError):
        Scorer("no-such-model")


def test_one_photo_without_a_scorer(brightness: Path, tmp_path: Path) -> None:
    assert aesth.score(grey_photo(tmp_path, 51), model=str(brightness)).score == percent(51)
    assert isinstance(aesth.score("missing.jpg", model=str(brightness)), Scored)


def test_an_encoder_can_be_handed_in(scorer: Scorer) -> None:
    with Scorer(encoder=scorer.encoder, jobs=1) as other:
        assert other.score_one(grey(25)).score == percent(25)


def test_real_photos_brighten_as_pillow_says(scorer: Scorer, data: Path) -> None:
    paths = sorted((data / "oasis" / "images").iterdir())[::60]
    for scored in scorer.score(paths):
        with Image.open(scored.path) as image:
            expected = np.asarray(image.convert("RGB"), float).mean() / 2.55
        assert scored.score == pytest.approx(expected, abs=1)


@pytest.mark.parametrize(("threads", "jobs", "calls"), [(4, 4, 4), (4, 1, 1), (1, 4, 1), (3, 2, 2)])
def test_photos_are_encoded_at_once_by_as_many_threads_but_no_more_than_jobs(
    brightness: Path, threads: int, jobs: int, calls: int
) -> None:
    with Scorer(str(brightness), threads=threads, jobs=jobs) as scorer:
        assert isinstance(scorer.encoder, OnnxEncoder)
        assert scorer.encoder.calls == calls


class Meeting(OnnxEncoder):
    """The first calls wait until there are as many at once as it was opened for."""

    def __init__(self, model: registry.ModelFile, calls: int) -> None:
        super().__init__(model, calls=calls)
        self._number, self._all_there = count(), Barrier(calls)
        self.sizes: list[int] = []

    def encode(self, batch: np.ndarray) -> np.ndarray:
        self.sizes.append(len(batch))
        if next(self._number) < self.calls:
            self._all_there.wait(timeout=30)
        return super().encode(batch)


@pytest.mark.parametrize("calls", [1, 2, 3, 2 * BATCH_SIZE])
def test_photos_are_encoded_by_as_many_calls_at_once_as_there_can_be(brightness: Path, calls: int) -> None:
    encoder = Meeting(registry.find(str(brightness)), calls)
    with Scorer(encoder=encoder, jobs=2) as scorer:
        scores = [scored.score for scored in scorer.score(grey(value) for value in range(200))]
    assert scores == [percent(value) for value in range(200)]
    assert max(encoder.sizes) <= max(1, BATCH_SIZE // calls)


def test_an_encoder_that_fails_is_told_at_once(brightness: Path) -> None:
    class Failing(OnnxEncoder):
        def encode(self, batch: np.ndarray) -> np.ndarray:
            raise RuntimeError("no memory")

    with (
        Scorer(encoder=Failing(registry.find(str(brightness)), calls=2), jobs=2) as scorer,
        pytest.raises(RuntimeError, match="no memory"),
    ):
        list(scorer.score(grey(value) for value in count()))
