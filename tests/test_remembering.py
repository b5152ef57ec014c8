"""What was seen of photos is remembered: every command says the same, and looks at no photo twice."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from aesth import Scorer, registry, remembering
from aesth.apps.bursts import SAME_SCENE
from aesth.apps.ranking import FRAME
from aesth.apps.report import PageFile
from aesth.apps.similar import GREY_COPY
from aesth.cache import ScoreCache, facts
from aesth.collecting import top
from aesth.encoder import OnnxEncoder
from aesth.learning import read_lessons
from aesth.matching import find_similar
from aesth.metadata import MetadataSession
from aesth.picking import pick_best
from aesth.preprocess import PIXELS, UInt8Image
from aesth.reporting import report
from aesth.scoring import score_photos
from aesth.taste import Taste
from support.bursts import taken
from support.models import colour_model
from support.opened import files_opened
from support.photos import landscape
from support.tastes import coloured

MOMENT = 10**9

thumbnails = import_module("aesth.apps.report.thumbnails")  # the package has a function of that name


class CountingEncoder(OnnxEncoder):
    """Counts the photos that were decoded for it."""

    encoded = 0

    def encode(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.encoded += len(batch)
        return super().encode(batch)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> CountingEncoder:
    path = colour_model(tmp_path_factory.mktemp("models") / "colour-fp32.onnx")
    return CountingEncoder(registry.find(str(path)), threads=1)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetadataSession]:
    with MetadataSession(journal=tmp_path_factory.mktemp("journal") / "journal.sqlite") as session:
        yield session


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """A burst of three, two copies of one picture, a photo alone, and one of a person's stars."""
    folder = tmp_path / "photos"
    folder.mkdir()
    scene, other = landscape(1), landscape(2)
    made = [
        taken(folder / "a1.jpg", 0, picture=scene.point(lambda value: value * 0.7)),
        taken(folder / "a2.jpg", 0.4, picture=scene),
        taken(folder / "a3.jpg", 0.8, picture=scene.resize((160, 120)).resize(scene.size)),
        taken(folder / "b.jpg", None, picture=other),
        taken(folder / "b-small.jpg", None, picture=other.resize((160, 120))),
        taken(folder / "c.jpg", 5000, 30),
        coloured(folder / "d.jpg", (200, 10, 10), stars=5),
    ]
    return [settled(path) for path in made]


def settled(path: Path, moment: int = MOMENT) -> Path:
    """A file as if it was written at a moment long gone."""
    os.utime(path, (moment, moment))
    return path


@dataclass
class Bench:
    """What the commands of an evening need, with a memory or without."""

    encoder: CountingEncoder
    session: MetadataSession
    photos: list[Path]
    file: Path

    def run(self, command: str, *, remembered: bool = True, taste: Taste | None = None) -> object:
        """What a command says of the photos, in a run of its own."""
        with ExitStack() as stack:
            cache = stack.enter_context(ScoreCache(self.file)) if remembered else None
            scorer = stack.enter_context(Scorer(encoder=self.encoder, jobs=2, cache=cache, taste=taste))
            said = COMMANDS[command](self, scorer)
        assert cache is None or cache.failure is None
        return said

    def page(self, scorer: Scorer) -> object:
        out = PageFile(self.file.parent / "report.html", overwrite=True, cache=scorer.cache)
        found = list(report(self.photos, scorer, self.session, out, title="An evening"))
        return found, out.out.read_bytes()

    def lessons(self, scorer: Scorer) -> object:
        lessons = read_lessons(self.photos, scorer, self.session)
        return [
            (one.path, one.stars, None if one.embedding is None else one.embedding.round(2).tolist()) for one in lessons
        ]


COMMANDS: dict[str, Callable[[Bench, Scorer], object]] = {
    "score": lambda bench, scorer: list(score_photos(bench.photos, scorer)),
    "best": lambda bench, scorer: list(pick_best(bench.photos, scorer, bench.session)),
    "similar": lambda bench, scorer: list(find_similar(bench.photos, scorer, bench.session)),
    "learn": Bench.lessons,
    "report": Bench.page,
    "top --diverse": lambda bench, scorer: list(top(bench.photos, scorer, apart=SAME_SCENE)),
}


@pytest.fixture
def bench(encoder: CountingEncoder, session: MetadataSession, photos: list[Path], tmp_path: Path) -> Bench:
    return Bench(encoder, session, photos, tmp_path / "cache" / "scores.sqlite")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_second_run_says_the_same_and_decodes_no_photo(
    bench: Bench, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = bench.run(command, remembered=False)
    assert bench.run(command) == without
    encoded, opened = bench.encoder.encoded, files_opened(tmp_path / "photos", monkeypatch, by_exiftool=False)
    assert bench.run(command) == without
    if command == "similar":  # it counts pixels, of those alone that look like another
        assert opened <= {photo for photo in bench.photos if photo.stem[0] in "ab"}
    else:
        assert opened == set()
    assert bench.encoder.encoded == encoded


def test_an_evening_encodes_each_photo_once(bench: Bench) -> None:
    alone = {command: bench.run(command, remembered=False) for command in COMMANDS}
    before = bench.encoder.encoded
    assert {command: bench.run(command) for command in COMMANDS} == alone
    assert bench.encoder.encoded - before == len(bench.photos)


def test_a_photo_whose_embedding_is_known_is_decoded_for_what_else_is_asked_alone(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.run("score")
    encoded, opened = bench.encoder.encoded, files_opened(tmp_path / "photos", monkeypatch, by_exiftool=False)
    bench.run("best")
    assert {photo.stem for photo in opened} == {"a1", "a2", "a3"}
    assert bench.encoder.encoded == encoded


def test_what_is_scored_with_a_memory_has_its_embedding_unless_it_is_not_asked_for(bench: Bench) -> None:
    def embeddings(**asked: bool) -> list[NDArray[np.float32] | None]:
        with ScoreCache(bench.file) as cache, Scorer(encoder=bench.encoder, cache=cache) as scorer:
            return [scored.embedding for scored in scorer.score(bench.photos, **asked)]

    first, second = embeddings(), embeddings()
    for one, other in zip(first, second, strict=True):
        assert one == pytest.approx(other, rel=1e-4, abs=1e-4)
        assert other.dtype == np.float32
        assert other.shape == (1000,)
    assert embeddings(embeddings=False) == [None] * len(bench.photos)
    with ScoreCache(bench.file) as cache, Scorer(encoder=bench.encoder, cache=cache) as scorer:
        encoded = bench.encoder.encoded
        assert scorer.embed(bench.photos) == pytest.approx(np.stack(second))
        assert bench.encoder.encoded == encoded


def forget_all_but_scores(file: Path) -> None:
    """Make it the file of the version that knew scores alone."""
    with closing(sqlite3.connect(file)) as database, database:
        for table in ("views", "kinds", "axes"):
            database.execute(f"DROP TABLE {table}")
        database.execute("PRAGMA user_version = 2")


def test_a_file_that_knows_scores_alone_still_serves_and_learns_the_rest(bench: Bench) -> None:
    said = bench.run("score")
    alone = bench.run("best", remembered=False)
    forget_all_but_scores(bench.file)
    encoded = bench.encoder.encoded
    assert bench.run("score") == said
    assert bench.encoder.encoded == encoded
    for _ in range(2):
        assert bench.run("best") == alone
    assert bench.encoder.encoded == encoded + 3
    assert bench.run("score") == said


def test_by_another_taste_photos_are_scored_without_a_look(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Scorer(encoder=bench.encoder, jobs=1) as scorer:
        taste = Taste(scorer.tag, 1.0, -10.0, 80.0 * np.eye(1000)[0])
    alone = bench.run("score", remembered=False, taste=taste)
    assert bench.run("score") != alone
    opened = files_opened(tmp_path / "photos", monkeypatch)
    for _ in range(2):
        found = bench.run("score", taste=taste)
        assert scores_of(found) == pytest.approx(scores_of(alone), abs=1e-3)
    assert opened == set()


def scores_of(outcomes: Any) -> list[float]:
    return [outcome.score for outcome in outcomes]


@pytest.mark.parametrize("command", ["best", "similar", "learn", "report"])
def test_a_photo_that_changed_is_looked_at_anew(bench: Bench, command: str) -> None:
    bench.run(command)
    taken(bench.photos[1], 0.4, picture=landscape(3))
    coloured(bench.photos[6], (10, 10, 200), stars=5)
    for photo in (bench.photos[1], bench.photos[6]):
        settled(photo, MOMENT + 1)
    assert bench.run(command) == bench.run(command, remembered=False)


@pytest.mark.parametrize("command", ["best", "similar", "learn", "top --diverse"])
def test_another_model_computes_anew(bench: Bench, command: str, tmp_path: Path) -> None:
    bench.run(command)
    other = CountingEncoder(registry.find(str(colour_model(tmp_path / "colour-fp32.onnx", side=16))), threads=1)
    with_other = replace(bench, encoder=other)
    alone = with_other.run(command, remembered=False)
    encoded = other.encoded
    assert with_other.run(command) == alone
    assert other.encoded == 2 * encoded


@pytest.mark.parametrize("command", ["best", "similar", "learn"])
def test_other_pixels_are_looked_at_anew(bench: Bench, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.run(command, remembered=False)
    alone = bench.encoder.encoded
    bench.run(command)
    needed = bench.encoder.encoded - alone
    monkeypatch.setattr(remembering, "PIXELS", PIXELS + 1)
    bench.run(command)
    assert bench.encoder.encoded - alone == 2 * needed


def test_a_look_of_another_version_is_taken_anew(bench: Bench) -> None:
    def seen(version: int) -> list[object]:
        taken_by = replace(GREY_COPY, version=version, measure=lambda image: GREY_COPY.measure(image) // version)
        with ScoreCache(bench.file) as cache, Scorer(encoder=bench.encoder, cache=cache) as scorer:
            return [np.asarray(one.seen).max() for one in scorer.score(bench.photos, look=taken_by)]

    first = seen(1)
    assert seen(2) == [value // 2 for value in first]
    assert seen(1) == first


def test_nothing_is_remembered_of_a_photo_that_is_another_one_while_it_is_decoded(bench: Bench) -> None:
    photo = bench.photos[5]

    class Late(Scorer):
        def _load(self, path):
            settled(taken(photo, 5000, 90), MOMENT + 9)
            return super()._load(path)

    def seen(kind: type[Scorer]) -> list[float]:
        with ScoreCache(bench.file) as cache, kind(encoder=bench.encoder, cache=cache) as scorer:
            (found,) = scorer.score([photo], look=GREY_COPY)
        return [found.embedding[0], found.norm / 3**0.5, found.seen.mean()]

    content = photo.read_bytes()
    assert seen(Late) == pytest.approx([0.9 * 255] * 3, abs=3)
    photo.write_bytes(content)
    settled(photo)
    assert seen(Scorer) == pytest.approx([0.3 * 255] * 3, abs=3)


def test_no_thumbnail_is_remembered_of_a_photo_that_is_another_one_while_it_is_decoded(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = bench.photos[5]
    content, alone = photo.read_bytes(), thumbnails.thumbnails(photo, [thumbnails.SMALL])
    load = thumbnails.load

    def late(path: Path, **how: Any) -> UInt8Image:
        settled(taken(photo, 5000, 90), MOMENT + 9)
        return load(path, **how)

    with ScoreCache(bench.file) as cache:
        with monkeypatch.context() as patched:
            patched.setattr(thumbnails, "load", late)
            assert [thumbnails.remembered_thumbnail(photo, cache)] != alone
        photo.write_bytes(content)
        settled(photo)
        assert [thumbnails.remembered_thumbnail(photo, cache)] == alone


@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**32 - 1), st.sampled_from([1, 256]))
def test_looks_come_back_to_the_last_bit(height: int, width: int, seed: int, levels: int) -> None:
    image = np.random.default_rng(seed).integers(0, levels, (height, width, 3), np.uint8)
    frame, copy = FRAME(image), GREY_COPY(image)
    back = FRAME.unpacked(FRAME.packed(frame))
    assert (back.highlights, back.contrast) == (frame.highlights, frame.contrast)
    for one, other in ((back.edges.fine, frame.edges.fine), (back.edges.coarse, frame.edges.coarse)):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype
    np.testing.assert_array_equal(back.view, frame.view)
    assert back.view.dtype == frame.view.dtype
    np.testing.assert_array_equal(GREY_COPY.unpacked(GREY_COPY.packed(copy)), copy)


def test_an_embedding_or_a_look_that_is_not_the_one_that_was_kept_is_not_told(bench: Bench) -> None:
    alone = bench.run("best")
    with closing(sqlite3.connect(bench.file)) as database, database:
        database.execute("UPDATE views SET data = zeroblob(length(data))")
    encoded = bench.encoder.encoded
    assert bench.run("best") == alone
    assert bench.encoder.encoded == encoded + 3


class TestRoom:
    """How large the file may become."""

    @pytest.fixture(autouse=True)
    def remembered(self, bench: Bench) -> None:
        for command in ("report", "similar"):
            bench.run(command)

    def test_the_size_is_told_by_kind(self, bench: Bench) -> None:
        views = {view.what: view for view in facts(bench.file).views}
        photos = {what: view.photos for what, view in views.items()}
        assert photos == {"embeddings": 7, "frames of bursts": 3, "grey copies": 7, "thumbnails": 7}
        assert views["grey copies"].size == 7 * 32 * 32
        assert views["embeddings"].size <= 7 * (8 + 4 * 4)

    def test_beyond_the_limit_what_was_seen_of_photos_not_met_for_the_longest_goes_and_scores_stay(
        self, bench: Bench
    ) -> None:
        old = [os.fsencode(photo) for photo in bench.photos[:4]]
        with closing(sqlite3.connect(bench.file)) as database, database:
            database.executemany("UPDATE files SET seen = seen - 20 WHERE path = ?", [(path,) for path in old])
            ours = dict(database.execute("SELECT path, content FROM files"))
            sizes = dict(database.execute("SELECT content, sum(length(data)) FROM views GROUP BY content"))
            pages = database.execute("PRAGMA page_count").fetchone()[0] * 4096
        before = facts(bench.file)
        with ScoreCache(bench.file, size_limit=pages - 1) as cache:
            cache.note(Path("any"), "state", "said")
        with closing(sqlite3.connect(bench.file)) as database:
            kept = {content for (content,) in database.execute("SELECT DISTINCT content FROM views")}
        gone = [path for path, content in ours.items() if content not in kept]
        assert gone
        assert set(gone) < set(old) or sum(sizes[ours[path]] for path in old) < pages // 10
        assert facts(bench.file).models == before.models
        assert bench.run("score") == bench.run("score", remembered=False)

    def test_what_was_seen_of_photos_that_are_forgotten_is_forgotten(self, bench: Bench) -> None:
        with closing(sqlite3.connect(bench.file)) as database, database:
            database.execute("UPDATE files SET seen = seen - 400")
            database.execute("UPDATE tidied SET day = day - 1")
        with ScoreCache(bench.file) as cache:
            cache.note(Path("any"), "state", "said")
        assert facts(bench.file).views == ()

    def test_a_kind_that_was_not_in_use_for_a_year_is_forgotten(self, bench: Bench) -> None:
        with closing(sqlite3.connect(bench.file)) as database, database:
            database.execute("UPDATE kinds SET seen = seen - 400 WHERE what = 'embeddings'")
            database.execute("UPDATE tidied SET day = day - 1")
        with ScoreCache(bench.file) as cache:
            cache.note(Path("any"), "state", "said")
        assert {view.what for view in facts(bench.file).views} == {"frames of bursts", "grey copies", "thumbnails"}
        with closing(sqlite3.connect(bench.file)) as database:
            assert database.execute("SELECT count(*) FROM axes").fetchone() == (0,)
