"""Scores are remembered, for a photo and a model; never is one told that the photo would not get."""

import os
import shutil
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from aesth import AesthError, Scorer, registry
from aesth.cache import Known, ModelKey, ScoreCache, clear, facts, scores
from aesth.encoder import OnnxEncoder
from aesth.fingerprint import fingerprint
from aesth.metadata import MetadataSession
from aesth.metadata.memory import KnownFiles
from aesth.preprocess import PIXELS
from aesth.scoring import score_photos
from aesth.tagging import Action, tag
from aesth.undo import find_undoable, undo
from support.metadata import rate_by_exiv2
from support.models import brightness_model
from support.opened import files_opened
from support.photos import encode

KEY = ModelKey("m-int8", "0" * 64, "CPUExecutionProvider", PIXELS)


class CountingEncoder(OnnxEncoder):
    """Counts the photos that were decoded for it."""

    encoded = 0

    def encode(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.encoded += len(batch)
        return super().encode(batch)


@pytest.fixture(scope="module")
def encoder(brightness: Path) -> CountingEncoder:
    return CountingEncoder(registry.find(str(brightness)), threads=1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "scores.sqlite"


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    return [settled(tmp_path / f"{value}.jpg", grey(value)) for value in (10, 100, 200)]


def grey(value: int, form: str = "JPEG") -> bytes:
    return encode(Image.new("L", (16, 16), value), form)


def settled(path: Path, content: bytes, moment: int = 10**9) -> Path:
    """A file that was written at a moment long gone."""
    path.write_bytes(content)
    os.utime(path, (moment, moment))
    return path


def emptied(path: Path) -> None:
    """Take the pixels away, so that nobody but who looks at them can tell."""
    settled(path, bytes(path.stat().st_size), path.stat().st_mtime_ns // 10**9)


def run(encoder: OnnxEncoder, file: Path | None, *photos: Path) -> list[float | None]:
    """The scores of photos, by a run of its own."""
    if file is None:
        with Scorer(encoder=encoder, jobs=1) as scorer:
            return [scored.score for scored in scorer.score(photos)]
    with ScoreCache(file) as cache, Scorer(encoder=encoder, jobs=2, cache=cache) as scorer:
        scores = [scored.score for scored in scorer.score(photos)]
    assert cache.failure is None
    return scores


def decoded(encoder: CountingEncoder, file: Path, *photos: Path) -> int:
    """How many photos a run decodes."""
    before = encoder.encoded
    assert run(encoder, file, *photos) == run(encoder, None, *photos)
    return encoder.encoded - before - len(photos)


def test_a_second_run_looks_at_no_photo(encoder: CountingEncoder, file: Path, photos: list[Path]) -> None:
    first = run(encoder, file, *photos)
    for photo in photos:
        emptied(photo)
    assert run(encoder, file, *photos) == first == pytest.approx([value / 2.55 for value in (10, 100, 200)], abs=0.5)
    assert run(encoder, None, *photos) == [None] * 3


def test_moved_renamed_copied_and_touched_photos_are_recognised(
    encoder: CountingEncoder, file: Path, photos: list[Path], tmp_path: Path
) -> None:
    assert decoded(encoder, file, *photos) == 3
    moved, copied, touched = tmp_path / "moved.jpg", tmp_path / "copied.jpeg", photos[2]
    photos[0].rename(moved)
    settled(copied, photos[1].read_bytes(), 10**9 + 5)
    os.utime(touched, (10**9 + 7, 10**9 + 7))
    assert decoded(encoder, file, moved, copied, touched) == 0
    emptied(moved)
    assert run(encoder, file, moved) == pytest.approx([10 / 2.55], abs=0.5)


def test_a_photo_that_we_tagged_is_still_known_at_once(encoder: CountingEncoder, file: Path, tmp_path: Path) -> None:
    forms = {"jpg": "JPEG", "png": "PNG", "tif": "TIFF", "webp": "WEBP", "heic": "HEIF", "avif": "AVIF", "gif": "GIF"}
    photos = [settled(tmp_path / f"a.{suffix}", grey(100, form)) for suffix, form in forms.items()]
    before = [photo.read_bytes() for photo in photos]
    with MetadataSession() as session, ScoreCache(file) as cache, Scorer(encoder=encoder, cache=cache) as scorer:
        scores = [outcome.score for outcome in tag(photos, scorer, session)]
    assert [photo.read_bytes() != old for photo, old in zip(photos, before, strict=True)] == [True] * 6 + [False]
    for photo in photos:
        emptied(photo)
    assert run(encoder, file, *photos) == scores
    assert None not in scores


def test_a_second_run_over_what_was_tagged_opens_no_photo(
    encoder: CountingEncoder, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = [settled(tmp_path / name, grey(100)) for name in ("a.jpg", "b.jpg", "c.jpg")]
    photos.append(settled(tmp_path / "b.CR2", b"II*\0"))
    rate_by_exiv2(photos[2], 5)

    def run() -> list[Action]:
        with (
            ScoreCache(file) as cache,
            Scorer(encoder=encoder, cache=cache) as scorer,
            MetadataSession(memory=cache) as session,
        ):
            return [outcome.action for outcome in tag(photos, scorer, session)]

    assert run() == [Action.WRITTEN, Action.WRITTEN, Action.KEPT, Action.WRITTEN]
    opened = files_opened(tmp_path, monkeypatch)
    assert run() == [Action.SKIPPED, Action.SKIPPED, Action.KEPT, Action.SKIPPED]
    assert opened <= {file, *file.parent.iterdir()}


def test_a_persons_rating_stands_though_what_is_remembered_knows_nothing_of_it(
    encoder: CountingEncoder, file: Path, tmp_path: Path
) -> None:
    photo = settled(tmp_path / "a.jpg", grey(100))
    with (
        ScoreCache(file) as cache,
        Scorer(encoder=encoder, cache=cache) as scorer,
        MetadataSession(memory=cache) as session,
    ):
        rate_by_exiv2(photo, 5)
        KnownFiles(cache, session.version).note(photo, KnownFiles(cache, session.version).state(photo), {})
        (outcome,) = tag([photo], scorer, session)
    assert (outcome.action, outcome.rating, outcome.error) == (Action.KEPT, 5, None)


def test_a_photo_that_we_write_is_read_once_to_be_known(
    encoder: CountingEncoder, file: Path, photos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    monkeypatch.setattr(scores, "fingerprint", lambda path: (read.append(path), fingerprint(path))[1])
    with MetadataSession() as session, ScoreCache(file) as cache, Scorer(encoder=encoder, cache=cache) as scorer:
        first = [outcome.score for outcome in tag(photos, scorer, session)]
    assert sorted(read) == sorted(photos)
    assert run(encoder, file, *photos) == first
    assert sorted(read) == sorted(photos)


def test_one_that_changed_before_we_wrote_it_does_not_keep_its_score(file: Path, photos: list[Path]) -> None:
    with ScoreCache(file) as cache:
        remember(cache, photos[0], 50.0)
        before = settled(photos[0], grey(77), 10**9 + 1).stat()
        now = settled(photos[0], grey(77) + b" ", 10**9 + 2).stat()
        cache.follow(photos[0], before, now)
        assert known(cache, photos[0]) is None


def test_a_raw_and_its_jpeg_are_decoded_once_for_all_runs(encoder: CountingEncoder, file: Path, tmp_path: Path) -> None:
    jpeg, raw = settled(tmp_path / "a.jpg", grey(200)), settled(tmp_path / "a.CR2", b"II*\0")
    before = encoder.encoded
    with MetadataSession() as session, ScoreCache(file) as cache, Scorer(encoder=encoder, cache=cache) as scorer:
        assert [outcome.action for outcome in tag([raw, jpeg], scorer, session)] == [Action.WRITTEN] * 2
    assert (tmp_path / "a.CR2.xmp").exists()
    emptied(jpeg)
    with ScoreCache(file) as cache, Scorer(encoder=encoder, cache=cache) as scorer:
        scores = [outcome.score for outcome in score_photos([jpeg, raw], scorer)]
    assert scores == pytest.approx([200 / 2.55] * 2, abs=0.5)
    assert encoder.encoded - before == 1


def test_what_is_tagged_again_after_an_undo_is_not_decoded_again(
    encoder: CountingEncoder, file: Path, photos: list[Path]
) -> None:
    old, before = [photo.read_bytes() for photo in photos], encoder.encoded
    scores = []
    for _ in range(2):
        with MetadataSession() as session, ScoreCache(file) as cache, Scorer(encoder=encoder, cache=cache) as scorer:
            outcomes = list(tag(photos, scorer, session))
            assert {outcome.action for outcome in outcomes} == {Action.WRITTEN}
            scores.append([outcome.score for outcome in outcomes])
            assert {outcome.action for outcome in undo(session, find_undoable(session))} == {Action.WRITTEN}
        assert [photo.read_bytes() for photo in photos] == old
    assert scores[0] == scores[1]
    assert encoder.encoded - before == len(photos)


@pytest.mark.parametrize(
    "other",
    [
        replace(KEY, checksum="1" * 64),
        replace(KEY, checksum="0" * 63 + "1"),
        replace(KEY, pixels=PIXELS + 1),
        replace(KEY, pixels=-PIXELS),
        replace(KEY, provider="CUDAExecutionProvider"),
        replace(KEY, name="n-int8"),
    ],
)
def test_another_model_version_or_provider_knows_nothing(file: Path, photos: list[Path], other: ModelKey) -> None:
    with ScoreCache(file) as cache:
        remember(cache, photos[0], 50.0)
        assert known(cache, photos[0]) == 50.0
    with ScoreCache(file) as cache:
        assert known(cache, photos[0]) == 50.0
        assert known(cache, photos[0], other) is None


def remember(cache: ScoreCache, photo: Path, score: float, key: ModelKey = KEY) -> None:
    glance = cache.look(photo, key)
    assert glance is not None
    cache.remember(glance, key, Known(score, 2 * score))


def known(cache: ScoreCache, photo: Path, key: ModelKey = KEY) -> float | None:
    glance = cache.look(photo, key)
    return glance.known.score if glance and glance.known else None


def test_a_model_of_the_same_name_with_other_bytes_scores_anew(
    encoder: CountingEncoder, file: Path, photos: list[Path], tmp_path: Path
) -> None:
    run(encoder, file, *photos)
    other = brightness_model(tmp_path / encoder.model.path.name, side=16)
    assert decoded(CountingEncoder(registry.find(str(other)), threads=1), file, *photos) == 3
    assert decoded(encoder, file, *photos) == 0
    assert [model.scores for model in facts(file).models] == [3, 3]


def test_stars_follow_the_cut_points_of_the_run(encoder: CountingEncoder, file: Path, photos: list[Path]) -> None:
    run(encoder, file, *photos)
    with ScoreCache(file) as cache, Scorer(encoder=encoder, cache=cache, cut_points=(1, 2, 3, 4)) as scorer:
        scored = scorer.score_one(photos[0])
        assert (scored.rating, scored.error) == (4, None)
        assert scored.norm == pytest.approx(10, abs=1)


def test_what_fails_is_tried_again(encoder: CountingEncoder, file: Path, tmp_path: Path) -> None:
    photo = settled(tmp_path / "a.jpg", grey(100)[:-40])
    assert run(encoder, file, photo, tmp_path / "missing.jpg", tmp_path) == [None] * 3
    settled(photo, grey(100))
    assert run(encoder, file, photo) == pytest.approx([100 / 2.55], abs=0.5)


def test_a_photo_so_new_that_it_may_change_unseen_is_not_known_at_once(
    encoder: CountingEncoder, file: Path, tmp_path: Path
) -> None:
    """Where time is counted in seconds, a second write within one leaves no trace."""
    photo = tmp_path / "a.png"
    contents = [grey(value, "PNG") for value in (100, 101)]
    assert len({len(content) for content in contents}) == 1
    now = int(time.time())
    for content in contents:
        settled(photo, content, now)
        assert run(encoder, file, photo) == run(encoder, None, photo)


def test_a_photo_that_changes_while_it_is_decoded_is_not_remembered(file: Path, photos: list[Path]) -> None:
    with ScoreCache(file) as cache:
        glance = cache.look(photos[0], KEY)
        assert glance is not None
        assert glance.is_current()
        settled(photos[0], grey(77), 10**9 + 1)
        assert not glance.is_current()


CHANGES = ("write", "swap", "copy", "touch", "remove", "tag")
NAMES = ("a.png", "b.png", "c.png")


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(CHANGES), st.sampled_from(NAMES), st.sampled_from(NAMES), st.sampled_from([9, 99, 199])
        ),
        max_size=8,
    )
)
def test_whatever_happens_to_the_files_scores_are_those_of_a_run_without_a_cache(
    encoder: CountingEncoder, tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, str, str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("photos")
    values: dict[str, int | None] = dict.fromkeys(NAMES)
    for moment, (change, name, other, value) in enumerate(changes):
        happen(folder, change, name, other, value, 10**9 + moment)
        values |= {
            "write": {name: value},
            "swap": {name: values[other], other: values[name]},
            "copy": {name: values[other]},
            "remove": {name: None},
        }.get(change, {})
        expected = [None if values[name] is None else pytest.approx(values[name] / 2.55, abs=1e-3) for name in NAMES]
        assert run(encoder, folder / "scores.sqlite", *(folder / name for name in NAMES)) == expected


def happen(folder: Path, change: str, name: str, other: str, value: int, moment: int) -> None:
    path, source = folder / name, folder / other
    match change:
        case "write":
            settled(path, grey(value, "PNG"), moment)
        case "swap":
            places = [place for place in {path, source} if place.exists()]
            for place in places:
                place.rename(place.with_suffix(".moved"))
            for place in places:
                place.with_suffix(".moved").rename(source if place == path else path)
        case "remove":
            path.unlink(missing_ok=True)
        case "copy" if not source.exists():
            path.unlink(missing_ok=True)
        case "copy" if path != source:
            shutil.copy2(source, path)
        case "touch" if path.exists():
            os.utime(path, (moment, moment))
        case "tag" if path.exists():
            with Image.open(path) as image:
                exif = image.getexif()
                exif[0x010E] = str(moment)
                image.save(path, exif=exif)
            os.utime(path, (moment, moment))


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=6)), max_size=6), st.booleans()
)
@example([(0.0625, b"\x80")], False)  # in a name of a table, which SQLite then tells
def test_a_damaged_file_never_makes_a_wrong_score(
    tmp_path: Path, photos: list[Path], damage: list[tuple[float, bytes]], cut: bool
) -> None:
    file = tmp_path / "damaged.sqlite"
    for leftover in tmp_path.glob("damaged.sqlite*"):
        leftover.unlink()
    with ScoreCache(file) as cache:
        for score, photo in enumerate(photos):
            remember(cache, photo, 10.0 + score)
    content = bytearray(file.read_bytes())
    for where, piece in damage:
        place = int(where * (len(content) - len(piece)))
        content[place : place + len(piece)] = piece
    file.write_bytes(content[: len(content) // 2] if cut else content)
    with ScoreCache(file) as cache:
        for score, photo in enumerate(photos):
            assert known(cache, photo) in (10.0 + score, None)


def test_a_score_that_is_not_the_one_that_was_kept_is_not_told(file: Path, photos: list[Path]) -> None:
    """SQLite would not notice a bit that tips over."""
    with ScoreCache(file) as cache:
        remember(cache, photos[0], 50.0)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE scores SET score = 51.0")
    with ScoreCache(file) as cache:
        assert known(cache, photos[0]) is None


@pytest.mark.parametrize("content", [b"no database, but text" * 99, b"SQLite format 3\0" + bytes(5000)])
def test_a_file_that_is_none_is_told_left_alone_and_made_anew_when_asked(
    encoder: CountingEncoder, file: Path, photos: list[Path], content: bytes
) -> None:
    file.parent.mkdir()
    file.write_bytes(content)
    with ScoreCache(file) as cache, Scorer(encoder=encoder, cache=cache) as scorer:
        assert [scored.score for scored in scorer.score(photos)] == run(encoder, None, *photos)
    assert cache.failure is not None
    assert "aesth cache --clear" in cache.failure.message
    assert cache.failure.path == file
    assert file.read_bytes() == content
    with pytest.raises(AesthError):
        facts(file)
    clear(file)
    assert decoded(encoder, file, *photos) == 3


@pytest.mark.skipif(os.name == "nt" or not hasattr(os, "geteuid"), reason="permissions are told by other means here")
def test_a_folder_that_cannot_be_made_is_told(encoder: CountingEncoder, tmp_path: Path, photos: list[Path]) -> None:
    (tmp_path / "file").touch()
    with ScoreCache(tmp_path / "file" / "scores.sqlite") as cache, Scorer(encoder=encoder, cache=cache) as scorer:
        assert scorer.score_one(photos[0]).error is None
    assert cache.failure is not None


def test_a_file_that_another_program_locks_is_waited_for_only_a_little(
    encoder: CountingEncoder, file: Path, photos: list[Path]
) -> None:
    first = run(encoder, file, photos[0])
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with ScoreCache(file, patience=0.05) as cache, Scorer(encoder=encoder, cache=cache) as scorer:
            assert [scored.score for scored in scorer.score(photos)] == run(encoder, None, *photos)
        assert cache.failure is not None
        assert "locked" in cache.failure.message
        with pytest.raises(AesthError, match="locked"):
            clear(file, patience=0.05)
    emptied(photos[0])
    assert run(encoder, file, photos[0]) == first


def remember_many(file: Path, folder: Path, number: int) -> None:
    with ScoreCache(file) as cache:
        for index in range(40):
            remember(cache, settled(folder / f"{number}-{index}.jpg", grey(index)), float(index))
    sys.exit(cache.failure is not None)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_processes_may_remember_at_once(file: Path, tmp_path: Path) -> None:
    forks = get_context("fork")
    children = [forks.Process(target=remember_many, args=(file, tmp_path, number)) for number in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0] * 4
    assert facts(file).photos == 160
    with ScoreCache(file) as cache:
        assert [known(cache, tmp_path / f"3-{index}.jpg") for index in range(40)] == list(range(40))


class TestForgetting:
    @pytest.fixture(autouse=True)
    def remembered(self, file: Path, photos: list[Path]) -> None:
        with ScoreCache(file) as cache:
            for photo in photos:
                remember(cache, photo, 50.0)

    @staticmethod
    def age(file: Path, days: int, photo: Path) -> None:
        with closing(sqlite3.connect(file)) as database, database:
            database.execute("UPDATE files SET seen = seen - ? WHERE path = ?", (days, os.fsencode(photo)))

    @staticmethod
    def another_day(file: Path, folder: Path) -> None:
        """A run of another day, which remembers one photo more."""
        with closing(sqlite3.connect(file)) as database, database:
            database.execute("UPDATE tidied SET day = day - 1")
        with ScoreCache(file) as cache:
            remember(cache, settled(folder / "more.jpg", grey(1)), 50.0)

    def test_photos_that_are_gone(self, file: Path, photos: list[Path], tmp_path: Path) -> None:
        photos[0].unlink()
        photos[1].unlink()
        self.age(file, 40, photos[0])
        self.another_day(file, tmp_path)
        assert self.paths(file) == {photos[1], photos[2], tmp_path / "more.jpg"}
        assert facts(file).models[0].scores == 3

    def test_but_not_those_of_a_disk_that_is_unplugged(self, file: Path, tmp_path: Path) -> None:
        disk = tmp_path / "disk"
        disk.mkdir()
        photo = settled(disk / "a.jpg", grey(3))
        with ScoreCache(file) as cache:
            remember(cache, photo, 50.0)
        shutil.rmtree(disk)
        self.age(file, 40, photo)
        self.another_day(file, tmp_path)
        assert photo in self.paths(file)

    def test_what_was_not_seen_for_a_year(self, file: Path, photos: list[Path], tmp_path: Path) -> None:
        self.age(file, 400, photos[0])
        self.another_day(file, tmp_path)
        assert photos[0] not in self.paths(file)

    def test_what_is_seen_stays(self, file: Path, photos: list[Path], tmp_path: Path) -> None:
        self.age(file, 400, photos[0])
        with ScoreCache(file) as cache:
            assert known(cache, photos[0]) == 50.0
        self.another_day(file, tmp_path)
        assert photos[0] in self.paths(file)

    def test_beyond_the_limit_those_not_seen_for_the_longest(
        self, file: Path, photos: list[Path], tmp_path: Path
    ) -> None:
        self.age(file, 20, photos[1])
        with ScoreCache(file, limit=3) as cache:
            remember(cache, settled(tmp_path / "more.jpg", grey(1)), 50.0)
        assert len(self.paths(file)) <= 3
        assert photos[1] not in self.paths(file)

    def test_everything_when_asked(self, file: Path, photos: list[Path]) -> None:
        assert facts(file).photos == 3
        assert os.fsencode(photos[0]) in file.read_bytes()
        clear(file)
        assert (facts(file).photos, facts(file).models) == (0, ())
        assert os.fsencode(photos[0]) not in file.read_bytes()

    def test_a_run_that_goes_on_meanwhile_is_not_disturbed(self, file: Path, photos: list[Path]) -> None:
        with ScoreCache(file) as cache:
            assert known(cache, photos[0]) == 50.0
            clear(file)
            assert known(cache, photos[0]) is None
            remember(cache, photos[0], 60.0)
        assert cache.failure is None
        assert facts(file).photos == 1

    @staticmethod
    def paths(file: Path) -> set[Path]:
        with closing(sqlite3.connect(file)) as database:
            return {Path(os.fsdecode(path)) for (path,) in database.execute("SELECT path FROM files")}


def test_the_file_of_the_first_version_is_made_anew(file: Path, photos: list[Path]) -> None:
    file.parent.mkdir()
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE files (a, b)")
        database.execute("PRAGMA user_version = 1")
    with ScoreCache(file) as cache:
        remember(cache, photos[0], 50.0)
        assert known(cache, photos[0]) == 50.0
    assert cache.failure is None


def test_the_file_of_a_newer_version_is_told_left_alone_and_made_anew_when_asked(
    encoder: CountingEncoder, file: Path, photos: list[Path]
) -> None:
    run(encoder, file, *photos)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("PRAGMA user_version = 99")
    before = file.read_bytes()
    with ScoreCache(file) as cache, Scorer(encoder=encoder, cache=cache) as scorer:
        assert [scored.score for scored in scorer.score(photos)] == run(encoder, None, *photos)
    assert cache.failure is not None
    assert "newer aesth" in cache.failure.message
    with pytest.raises(AesthError, match="newer aesth"):
        facts(file)
    assert file.read_bytes() == before
    clear(file)
    assert decoded(encoder, file, *photos) == 3


def test_nothing_is_made_by_asking(file: Path) -> None:
    assert (facts(file).photos, facts(file).size) == (0, 0)
    assert clear(file) == 0
    assert not file.parent.exists()


def test_an_encoder_of_the_callers_own_is_never_remembered(
    encoder: CountingEncoder, file: Path, photos: list[Path]
) -> None:
    """No file tells whether it is the same next time."""

    class Own:
        record = encoder.record
        encode = encoder.encode

    with ScoreCache(file) as cache, Scorer(encoder=Own(), cache=cache) as scorer:
        assert scorer.score_one(photos[0]).error is None
    assert facts(file).photos == 0
