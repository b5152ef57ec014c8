"""Photos to explanations: one outcome a photo, new files that are whole, and never in the place of somebody's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aesth.apps.explain import files
from aesth.encoder import OnnxEncoder
from aesth.errors import ConfigError, DecodeError
from aesth.explaining import Explained, Explaining, explain, explain_photos, keep_curves
from aesth.registry import find
from aesth.scorer import Scorer
from aesth.tagging import Action
from aesth.taste import Taste
from support.cli import grey_photo, grey_raw
from support.models import darkness_model


@pytest.fixture
def scorer(brightness: Path) -> Iterator[Scorer]:
    with Scorer(str(brightness), jobs=1, threads=1) as scorer:
        yield scorer


def spotted_photo(path: Path) -> Path:
    """Dark, with a bright spot at the top left and a black one at the bottom right."""
    image = np.full((300, 400, 3), 90, np.uint8)
    image[40:110, 40:110] = 255
    image[190:260, 290:360] = 0
    Image.fromarray(image).save(path, quality=95)
    return path


def test_the_bright_place_raises_the_score_of_brightness_and_the_black_one_lowers_it(scorer: Scorer) -> None:
    """In points: a window hides a spot behind its own blur, so that a part of its light goes."""
    with Image.open(spotted_photo(Path("spots.jpg"))) as photo:
        found = explain(np.asarray(photo), scorer.encoder)
    row, column = np.unravel_index(found.saliency.argmax(), found.saliency.shape)
    assert (row, column) == pytest.approx((75, 75), abs=25)
    row, column = np.unravel_index(found.saliency.argmin(), found.saliency.shape)
    assert (row, column) == pytest.approx((225, 325), abs=25)
    assert found.effect.raises == pytest.approx(found.saliency.max())
    assert found.effect.lowers == pytest.approx(-found.saliency.min())
    assert 0.1 < found.effect.lowers < found.effect.raises < 5
    assert found.faithfulness is None
    assert found.facts["area"] is None


def test_a_photo_is_explained_by_the_taste_that_it_is_scored_by(scorer: Scorer) -> None:
    taste = Taste(scorer.tag, slope=0.5, shift=10.0, weights=np.zeros(1000))
    with Scorer(encoder=scorer.encoder, taste=taste, jobs=1) as own:
        (found,), (common,) = (explained(by, spotted_photo(Path("a.jpg")), dry_run=True) for by in (own, scorer))
    assert found.score == pytest.approx(common.score / 2 + 10 / 2.55, abs=0.1)
    assert found.explanation.effect.raises == pytest.approx(common.explanation.effect.raises / 2, rel=1e-3)


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def explained(scorer: Scorer, *photos: Path, **how: object) -> list[Explained]:
    return list(explain_photos(photos, scorer, Explaining(**how)))  # type: ignore[arg-type]


def test_a_photo_gets_a_picture_beside_it_that_shows_both_side_by_side(scorer: Scorer) -> None:
    photo = spotted_photo(Path("IMG_1.jpg"))
    before = photo.read_bytes()
    (found,) = explained(scorer, photo)
    assert (found.action, found.picture, found.rating) == (Action.WRITTEN, Path("IMG_1-explained.png"), 3)
    assert found.score == pytest.approx(37, abs=1)
    with Image.open("IMG_1-explained.png") as picture:
        assert picture.format == "PNG"
        assert picture.width > 2 * 400
    assert photo.read_bytes() == before
    assert names_in(Path()) == ["IMG_1-explained.png", "IMG_1.jpg"]


def test_another_model_is_drawn_beside_the_first_under_its_name(scorer: Scorer, tmp_path: Path) -> None:
    photo = spotted_photo(Path("IMG_1.jpg"))
    other = OnnxEncoder(find(str(darkness_model(tmp_path / "darkness.onnx"))))
    (plain,), (both,) = explained(scorer, photo), explained(scorer, photo, beside=other, out=Path("out"))
    first, second = both.explanation, both.explanation and both.explanation.beside
    assert first is not None
    assert second is not None
    assert plain.explanation is not None
    assert np.array_equal(first.saliency, plain.explanation.saliency)
    assert second.name == "darkness"
    assert second.score == pytest.approx(100 - (both.score or 0), abs=0.5)
    # What raises the one score lowers the other.
    assert np.corrcoef(first.saliency.ravel(), second.saliency.ravel())[0, 1] < -0.99
    assert (second.effect.raises, second.effect.lowers) == pytest.approx(
        (first.effect.lowers, first.effect.raises), abs=1
    )
    with Image.open("IMG_1-explained.png") as one, Image.open("out/IMG_1-explained.png") as two:
        assert two.width - one.width >= 300


def test_a_taste_is_of_the_model_that_scores_and_not_of_the_one_beside_it(scorer: Scorer) -> None:
    image, other = np.full((90, 120, 3), 99, np.uint8), scorer.encoder
    assert isinstance(other, OnnxEncoder)
    taste = Taste(scorer.tag, slope=0.5, shift=10.0, weights=np.zeros(1000))
    moved = explain(image, other, taste=taste, beside=other)
    assert moved.beside is not None
    assert moved.beside.score == pytest.approx(99 / 2.55, abs=0.5)


def test_what_is_there_is_replaced_only_when_told(scorer: Scorer) -> None:
    photo, theirs = grey_photo(Path("a.jpg")), Path("a-explained.png")
    theirs.write_text("mine")
    (found,) = explained(scorer, photo)
    assert found.action is Action.FAILED
    assert found.error is not None
    assert "--overwrite" in found.error.message
    assert found.error.path == theirs
    assert theirs.read_text() == "mine"
    assert explained(scorer, photo, overwrite=True)[0].action is Action.WRITTEN
    assert theirs.read_bytes().startswith(b"\x89PNG")


def test_a_link_is_not_written_through(scorer: Scorer) -> None:
    photo, theirs = grey_photo(Path("a.jpg")), Path("theirs.png")
    theirs.write_text("mine")
    Path("a-explained.png").symlink_to(theirs.name)
    assert explained(scorer, photo)[0].action is Action.FAILED
    assert explained(scorer, photo, overwrite=True)[0].action is Action.WRITTEN
    assert theirs.read_text() == "mine"


def test_photos_of_one_name_get_pictures_of_their_own_in_a_folder(scorer: Scorer) -> None:
    photos = [Path(folder, "a.jpg") for folder in ("one", "two", "three")]
    for photo in photos:
        photo.parent.mkdir()
        grey_photo(photo)
    found = explained(scorer, *photos, out=Path("out", "here"))
    names = ["a-explained.png", "a-explained-2.png", "a-explained-3.png"]
    assert [one.picture for one in found] == [Path("out", "here", name) for name in names]
    assert names_in(Path("out/here")) == sorted(names)


def test_a_dry_run_tells_all_and_writes_nothing(scorer: Scorer) -> None:
    photo = spotted_photo(Path("a.jpg"))
    (found,) = explained(scorer, photo, out=Path("out"), dry_run=True)
    assert (found.action, found.picture) == (Action.SCORED, Path("out/a-explained.png"))
    assert found.explanation is not None
    assert found.explanation.effect.raises > 0
    assert names_in(Path()) == ["a.jpg"]


def test_explanations_are_not_explained_and_bad_photos_stop_nobody(scorer: Scorer) -> None:
    bad = Path("bad.jpg")
    bad.write_bytes(b"no picture")
    photos = [
        grey_photo(Path("a.jpg")),
        bad,
        Path("gone.jpg"),
        grey_photo(Path("b-explained.png")),
        grey_photo(Path("c.jpg")),
    ]
    found = explained(scorer, *photos)
    assert [one.path for one in found] == photos
    written, skipped, failed = Action.WRITTEN, Action.SKIPPED, Action.FAILED
    assert [one.action for one in found] == [written, failed, failed, skipped, written]
    assert all(isinstance(one.error, DecodeError) for one in found[1:3])


def test_a_raw_is_explained_by_the_picture_beside_it(scorer: Scorer) -> None:
    raw, _ = grey_raw(Path("a.dng"), 20), grey_photo(Path("a.jpg"), 80)
    (found,) = explained(scorer, raw)
    assert found.score == pytest.approx(80, abs=1)
    assert found.explanation is not None
    assert found.explanation.measured.qualities.exposure == pytest.approx(82, abs=2)


def test_what_cannot_be_written_is_told_and_leaves_nothing(scorer: Scorer) -> None:
    photo = grey_photo(Path("n" * 246 + ".jpg"))
    Path("file").write_text("")
    long, through_a_file = explained(scorer, photo)[0], explained(scorer, photo, out=Path("file"))[0]
    for found in (long, through_a_file):
        assert found.action is Action.FAILED
        assert isinstance(found.error, ConfigError)
        assert "--out" in found.error.message
    assert names_in(Path()) == ["file", photo.name]


def test_a_write_that_breaks_off_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "there.png"
    target.write_text("before")

    def half(path: Path) -> None:
        path.write_text("ha")
        raise OSError(28, "No space left on device")

    with pytest.raises(ConfigError, match="No space left"):
        files.write(target, half, overwrite=True)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("there.png", "before")]


@pytest.mark.parametrize("name", ["a-explained.png", "a-explained-12.PNG"])
def test_names_of_explanations_are_known(name: str) -> None:
    assert files.is_explanation(Path("x", name))
    assert not files.is_explanation(Path(name, "unexplained.png"))
    assert not files.is_explanation(Path("a-explained.jpg"))


def test_curves_are_kept_of_each_photo_also_of_a_run_that_is_left(scorer: Scorer) -> None:
    photos = [spotted_photo(Path(name)) for name in ("a.jpg", "b.jpg", "c.jpg")]
    run = explain_photos(photos, scorer, Explaining(curves=True, dry_run=True))
    kept = keep_curves(run, Path("curves.json"))
    found = [next(kept), next(kept)]
    kept.close()  # type: ignore[attr-defined]
    told = json.loads(Path("curves.json").read_text())
    assert [one["path"] for one in told] == ["a.jpg", "b.jpg"]
    assert set(told[0]) == {"path", "ours", "edges", "chance"}
    facts = found[0].explanation.facts if found[0].explanation else {}
    assert facts["area"] == pytest.approx(
        told[0]["ours"]["insertion_area"] - told[0]["ours"]["deletion_area"], abs=0.02
    )
    assert facts["edges_area"] is not None
    assert facts["chance_area"] is not None
    with pytest.raises(ConfigError, match="--overwrite"):
        list(keep_curves([], Path("curves.json")))
