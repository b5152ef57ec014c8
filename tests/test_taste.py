"""A taste moves norms, and so scores, in the sense that is documented; its file is data, whoever wrote it."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aesth import ConfigError, Scorer, registry
from aesth.cache import ScoreCache
from aesth.encoder import OnnxEncoder
from aesth.ray.batches import BatchScorer
from aesth.scale import Scale
from aesth.scoring import score_photos
from aesth.taste import LARGEST, Taste, read, write
from support.models import colour_model
from support.tastes import coloured

numbers = st.floats(-1000, 1000).map(lambda number: round(number, 6))
vectors = arrays(np.float64, 6, elements=numbers)
tastes = st.builds(
    Taste,
    model=st.text(st.characters(exclude_categories=["Cs"])),
    slope=st.floats(0.01, 10),
    shift=numbers,
    weights=vectors,
    date=st.text(max_size=20),
    learnt=st.dictionaries(st.text(max_size=5), st.integers() | st.none() | st.text(max_size=5), max_size=3),
)
embeddings = arrays(np.float32, (5, 6), elements=st.floats(-100, 100, width=32))
SCALE = Scale(tuple(map(float, range(101))))


@given(tastes, embeddings)
def test_a_norm_is_moved_by_what_its_direction_weighs(taste: Taste, points: np.ndarray) -> None:
    for point, moved in zip(points.astype(np.float64), taste.norms(points), strict=True):
        length = sum(x * x for x in point) ** 0.5
        weighed = sum(x / length * w for x, w in zip(point, taste.weights, strict=True)) if length else 0.0
        assert moved == pytest.approx(max(taste.slope * length + weighed + taste.shift, 0), rel=1e-5, abs=1e-3)


@given(tastes, embeddings, st.floats(1, 10))
def test_of_two_photos_of_one_direction_the_one_that_all_like_better_stays_better_and_scores_stay_scores(
    taste: Taste, points: np.ndarray, further: float
) -> None:
    scores = SCALE.score(taste.norms(points))
    assert ((scores >= 0) & (scores <= 100)).all()
    better = SCALE.score(taste.norms(points * np.float32(further)))
    assert (better >= scores - 1e-3).all()


@given(tastes)
def test_what_is_written_is_what_is_read(taste: Taste) -> None:
    again = Taste.from_json(taste.to_json())
    assert (again.model, again.slope, again.shift) == (taste.model, taste.slope, taste.shift)
    assert again.weights.tolist() == taste.weights.tolist()
    assert (again.date, again.learnt, again.checksum) == (taste.date, dict(taste.learnt), taste.checksum)


def test_the_checksum_tells_what_changes_scores_and_nothing_else(taste: Taste) -> None:
    assert replace(taste, date="2020", learnt={}).checksum == taste.checksum
    others = [
        replace(taste, slope=0.5),
        replace(taste, shift=1.0),
        replace(taste, model="other"),
        replace(taste, weights=-taste.weights),
    ]
    assert len({taste.checksum, *(other.checksum for other in others)}) == 5


@pytest.fixture
def taste(colour: Path) -> Taste:
    """Red adds, blue takes away."""
    weights = np.zeros(1000)
    weights[0], weights[2] = 100, -100
    return Taste(registry.find(str(colour)).tag, 1.0, 0.0, weights, "2026-01-01T00:00:00+00:00", {"from": "stars"})


@pytest.fixture(scope="module")
def colour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return colour_model(tmp_path_factory.mktemp("models") / "colour-fp32.onnx")


def changed(**fields: object) -> Callable[[dict[str, object]], str]:
    return lambda said: json.dumps(said | fields)


def without(field: str) -> Callable[[dict[str, object]], str]:
    return lambda said: json.dumps({name: value for name, value in said.items() if name != field})


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: "",
        lambda _: "[" * 100_000,
        lambda _: "null",
        lambda _: "[]",
        lambda _: '"taste"',
        lambda _: "(lambda: 1)()",
        lambda said: json.dumps(said)[:-40],
        changed(aesth="model"),
        changed(slope=0),
        changed(slope=-1.0),
        changed(slope=float("nan")),
        changed(slope=float("inf")),
        changed(slope=True),
        changed(slope="1"),
        changed(slope=10**400),
        changed(shift=1e9),
        changed(shift=None),
        changed(weights="1000"),
        changed(weights=[[1.0] * 1000]),
        changed(weights=[0.0] * 999 + [float("inf")]),
        changed(weights=[0.0] * 999 + ["0"]),
        changed(weights={"0": 1}),
        changed(model=3),
        changed(date=["now"]),
        changed(learnt="much"),
        *(without(field) for field in ("aesth", "version", "model", "slope", "shift", "weights", "learnt", "date")),
    ],
)
def test_a_file_that_is_no_taste_is_refused_whatever_it_holds(
    tmp_path: Path, taste: Taste, damage: Callable[[dict[str, object]], str]
) -> None:
    path = tmp_path / "taste.json"
    path.write_text(damage(json.loads(taste.to_json())))
    with pytest.raises(ConfigError, match="this is no taste") as raised:
        read(path)
    assert raised.value.path == path


def test_files_that_cannot_be_read_are_told(tmp_path: Path, taste: Taste) -> None:
    path = tmp_path / "taste.json"
    for content in (b"\xff\xfe", taste.to_json().encode() + b" " * LARGEST, b"\x80\x04}.", b"PK\x03\x04"):
        path.write_bytes(content)
        with pytest.raises(ConfigError, match="no taste"):
            read(path)
    for missing in (tmp_path, tmp_path / "missing", Path("nul\0")):
        with pytest.raises(ConfigError, match="`aesth learn` makes one"):
            read(missing)
    path.write_text(json.dumps(json.loads(taste.to_json()) | {"version": 2}))
    with pytest.raises(ConfigError, match="another version"):
        read(path)


def test_a_taste_takes_the_place_of_an_earlier_one_and_of_nothing_else(tmp_path: Path, taste: Taste) -> None:
    path = tmp_path / "deep" / "taste.json"
    write(taste, path)
    write(replace(taste, slope=0.5), path)
    assert read(path).slope == 0.5
    assert list(path.parent.iterdir()) == [path]
    path.write_text("dear diary")
    with pytest.raises(ConfigError, match="stays as it is; name another file"):
        write(taste, path)
    assert path.read_text() == "dear diary"


def test_a_taste_of_another_model_is_refused(brightness: Path, colour: Path, taste: Taste) -> None:
    with pytest.raises(ConfigError, match=r"learnt with the model 'colour-fp32 .*scored by 'brightness-fp32 "):
        Scorer(str(brightness), taste=taste)
    with pytest.raises(ConfigError, match="learnt with the model"):
        Scorer(str(colour), taste=replace(taste, weights=np.zeros(3)))


def test_photos_are_scored_by_the_taste_and_remember_it(tmp_path: Path, colour: Path, taste: Taste) -> None:
    red, blue = coloured(tmp_path / "red.jpg", (120, 20, 20)), coloured(tmp_path / "blue.jpg", (20, 20, 140))
    with Scorer(str(colour), jobs=1) as general, Scorer(str(colour), jobs=1, taste=taste) as personal:
        by_all, by_one = list(general.score([red, blue])), list(personal.score([red, blue]))
        assert personal.tag == f"{general.tag} taste {taste.checksum[:8]}"
        expected = taste.norms(np.array([scored.embedding for scored in by_all]))
    assert by_all[0].norm < by_all[1].norm
    assert by_one[0].norm > by_one[1].norm
    assert [scored.norm for scored in by_one] == expected.tolist()
    assert [scored.score for scored in by_one] == general.encoder.record.scale.score(expected).tolist()
    assert np.array_equal(by_one[0].embedding, by_all[0].embedding)


def test_a_taste_may_be_named_by_its_file(tmp_path: Path, colour: Path, taste: Taste) -> None:
    path = tmp_path / "taste.json"
    write(taste, path)
    for name in (path, str(path)):
        with Scorer(str(colour), jobs=1, taste=name) as scorer:
            assert scorer.tag.endswith(taste.tag)


def test_workers_of_ray_score_by_the_taste(tmp_path: Path, colour: Path, taste: Taste) -> None:
    photo = coloured(tmp_path / "red.jpg", (120, 20, 20))
    worker = BatchScorer(str(colour), taste=pickle.loads(pickle.dumps(taste)))
    with Scorer(str(colour), jobs=1, taste=taste) as scorer:
        ((_, scored),) = worker.score([str(photo)])
        assert scored.score == scorer.score_one(photo).score
        assert worker.model == scorer.tag
    worker.close()


def test_scores_of_different_tastes_are_remembered_apart(tmp_path: Path, colour: Path, taste: Taste) -> None:
    photo = coloured(tmp_path / "red.jpg", (120, 20, 20))
    os.utime(photo, (10**9, 10**9))
    encoder = OnnxEncoder(registry.find(str(colour)), threads=1)
    someone, other = taste, replace(taste, weights=-taste.weights)

    def scores(*, cached: bool) -> list[float | None]:
        found = []
        for whose in (None, someone, other, None, someone):
            with ScoreCache(tmp_path / "scores.sqlite") as cache:
                kept = cache if cached else None
                with Scorer(encoder=encoder, jobs=1, cache=kept, taste=whose) as scorer:
                    found += [outcome.score for outcome in score_photos([photo], scorer)]
        return found

    alone = scores(cached=False)
    assert scores(cached=True) == scores(cached=True) == pytest.approx(alone, abs=1e-3)
    assert len(set(alone)) == 3
