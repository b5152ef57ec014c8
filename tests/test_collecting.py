"""From files to the best of them, and to folders by rank."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aesth import ConfigError, Scorer
from aesth.apps.placing import How
from aesth.cache import ScoreCache
from aesth.collecting import Ranked, sort, top
from aesth.tagging import Action
from support.cli import grey_photo, grey_raw

APART = 0.1


@pytest.fixture(scope="module")
def scorer(brightness: Path) -> Iterator[Scorer]:
    with Scorer(str(brightness), jobs=1, threads=1) as scorer:
        yield scorer


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """Of 20, 90, 50 and 88 percent of white; to the model, the second and the last look alike."""
    folder = tmp_path / "photos"
    folder.mkdir()
    return [grey_photo(folder / f"{percent}.jpg", percent) for percent in (20, 90, 50, 88)]


def told(ranked: list[Ranked]) -> list[tuple[str, int | None]]:
    return [(photo.path.name, photo.rank) for photo in ranked]


def test_the_best_come_first(photos: list[Path], scorer: Scorer) -> None:
    assert told(list(top(photos, scorer))) == [("90.jpg", 1), ("88.jpg", 2), ("50.jpg", 3), ("20.jpg", 4)]
    assert told(list(top(photos, scorer, number=2))) == [("90.jpg", 1), ("88.jpg", 2)]


def test_of_photos_that_look_alike_the_best_stands_for_all(photos: list[Path], scorer: Scorer) -> None:
    chosen = list(top(photos, scorer, number=2, apart=APART))
    assert told(chosen) == [("90.jpg", 1), ("50.jpg", 2)]
    assert chosen[0].score == pytest.approx(90, abs=1)


def test_photos_whose_scores_are_remembered_are_told_apart_as_well(photos: list[Path], brightness: Path) -> None:
    for _ in range(2):
        with ScoreCache() as cache, Scorer(str(brightness), cache=cache) as scorer:
            assert told(list(top(photos, scorer, apart=APART))) == [("90.jpg", 1), ("50.jpg", 2), ("20.jpg", 3)]


def test_a_raw_and_its_jpeg_count_once_and_share_a_rank(tmp_path: Path, scorer: Scorer) -> None:
    pair = [grey_raw(tmp_path / "A.DNG", 10), grey_photo(tmp_path / "A.JPG", 70)]
    others = [grey_photo(tmp_path / "B.jpg", 60), grey_photo(tmp_path / "C.jpg", 50)]
    assert told(list(top([*others, *pair], scorer, number=2))) == [("A.DNG", 1), ("A.JPG", 1), ("B.jpg", 2)]


def test_failures_are_told_at_the_end_and_have_no_rank(photos: list[Path], scorer: Scorer) -> None:
    missing = photos[0].with_name("missing.jpg")
    chosen = list(top([missing, *photos], scorer, number=1))
    assert told(chosen) == [("90.jpg", 1), ("missing.jpg", None)]
    assert chosen[1].action is Action.FAILED
    assert chosen[1].error is not None


def test_stars_can_be_given_by_rank_among_all(photos: list[Path], scorer: Scorer) -> None:
    assert [photo.rating for photo in top(photos, scorer, relative=True)] == [4, 3, 3, 2]


@pytest.mark.parametrize("how", [{}, {"how": How.HARDLINK}, {"how": How.SYMLINK}], ids=str)
def test_photos_are_in_the_folder_by_rank_and_still_where_they_were(
    photos: list[Path], scorer: Scorer, tmp_path: Path, how: dict[str, How]
) -> None:
    placed = list(sort(photos, scorer, tmp_path / "new" / "out", **how))
    names = ["1-90.jpg", "2-88.jpg", "3-50.jpg", "4-20.jpg"]
    assert sorted(path.name for path in (tmp_path / "new" / "out").iterdir()) == names
    assert [photo.target for photo in placed] == [tmp_path / "new" / "out" / name for name in names]
    assert {photo.action for photo in placed} == {Action.WRITTEN}
    assert all(photo.exists() for photo in photos)
    assert all(photo.target and photo.target.read_bytes() == photo.path.read_bytes() for photo in placed)


def test_what_belongs_to_a_photo_goes_along_and_leaves_with_it(tmp_path: Path, scorer: Scorer) -> None:
    folder, out = tmp_path / "photos", tmp_path / "out"
    folder.mkdir()
    jpeg, raw = grey_photo(folder / "A.JPG", 70), grey_raw(folder / "A.DNG", 10)
    (folder / "A.DNG.xmp").write_bytes(b"edits")
    dark = grey_photo(folder / "B.jpg", 5)
    assert [photo.path for photo in sort([dark, jpeg], scorer, out, how=How.MOVE, number=1)] == [jpeg]
    assert sorted(path.name for path in out.iterdir()) == ["1-A.DNG", "1-A.DNG.xmp", "1-A.JPG"]
    assert (jpeg.exists(), raw.exists()) == (False, False)
    assert [path.name for path in folder.iterdir()] == ["B.jpg"]


@pytest.mark.parametrize("how", How)
def test_a_live_photo_and_its_versions_stay_together_under_the_new_name(
    tmp_path: Path, scorer: Scorer, how: How
) -> None:
    folder, out = tmp_path / "photos", tmp_path / "out"
    folder.mkdir()
    photos = [grey_photo(folder / "A.JPG", 70), grey_photo(folder / "A_01.JPG", 80)]
    beside = {name: name.encode() for name in ("A.MOV", "A.JPG.xmp", "A_01.JPG.xmp", "A_02.JPG.xmp")}
    for name, content in beside.items():
        (folder / name).write_bytes(content)
    list(sort(photos, scorer, out, how=how))
    placed = {path.name: path.read_bytes() for path in out.iterdir() if path.suffix != ".JPG"}
    assert placed == {
        "1-A_01.JPG.xmp": b"A_01.JPG.xmp",
        "2-A.JPG.xmp": b"A.JPG.xmp",
        "2-A.MOV": b"A.MOV",
        "2-A_02.JPG.xmp": b"A_02.JPG.xmp",
    }
    assert bool(list(folder.iterdir())) == (how is not How.MOVE)


def test_a_photo_stays_where_what_belongs_to_it_cannot_be_moved(
    tmp_path: Path, scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = grey_photo(tmp_path / "A.JPG", 70)
    sidecar = tmp_path / "A.JPG.xmp"
    sidecar.touch()
    rename = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path == sidecar:
            raise PermissionError(13, "Permission denied")
        rename(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    (failed,) = sort([photo], scorer, tmp_path / "out", how=How.MOVE)
    assert (failed.action, failed.target) == (Action.FAILED, None)
    assert "Permission denied" in str(failed.error)
    assert photo.exists()


def test_a_dry_run_makes_nothing(photos: list[Path], scorer: Scorer, tmp_path: Path) -> None:
    out = tmp_path / "out"
    placed = list(sort(photos, scorer, out, number=1, how=How.MOVE, dry_run=True))
    assert [(photo.action, photo.target) for photo in placed] == [(Action.SCORED, out / "1-90.jpg")]
    assert not out.exists()


def test_a_folder_that_holds_something_is_refused_before_anything_is_scored(photos: list[Path], tmp_path: Path) -> None:
    for out in (photos[0].parent, photos[0]):
        with pytest.raises(ConfigError, match="name a new folder"):
            next(sort(photos, None, out))  # type: ignore[arg-type]


def test_no_folder_is_made_for_nothing(scorer: Scorer, tmp_path: Path) -> None:
    assert [photo.action for photo in sort([tmp_path / "no.jpg"], scorer, tmp_path / "out")] == [Action.FAILED]
    assert not (tmp_path / "out").exists()
