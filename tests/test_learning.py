"""From files to a taste: whose stars teach, which photos are looked at, and how a taste belongs to a model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from aesth import Scorer
from aesth.apps.personal.learning import Verdict
from aesth.learning import Lesson, draw, learn, learn_by_choices, look_at, read_lessons, stars_of_a_person
from aesth.metadata import MetadataSession, NewRating, RatingState
from support.cli import grey_raw
from support.metadata import DATE
from support.models import colour_model
from support.tastes import coloured, red_lover


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scorer]:
    with Scorer(str(colour_model(tmp_path_factory.mktemp("models") / "colour-fp32.onnx")), jobs=1, threads=1) as made:
        yield made


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetadataSession]:
    with MetadataSession(journal=tmp_path_factory.mktemp("journal") / "journal.sqlite") as session:
        yield session


@pytest.mark.parametrize(
    ("state", "stars"),
    [
        (RatingState(), None),
        (RatingState(4), 4),
        (RatingState(-1), 0),
        (RatingState(3, our_rating=3), None),
        (RatingState(-1, our_rating=-1), None),
        (RatingState(5, our_rating=3), 5),
        (RatingState(None, our_rating=3), None),
    ],
)
def test_stars_that_we_gave_are_nobodys_and_a_reject_is_less_than_one(state: RatingState, stars: int | None) -> None:
    assert stars_of_a_person(state) == stars


def test_only_photos_that_a_person_rated_are_looked_at(
    tmp_path: Path, scorer: Scorer, session: MetadataSession
) -> None:
    rated = coloured(tmp_path / "a.jpg", (200, 10, 10), stars=4)
    ours = coloured(tmp_path / "b.jpg", (200, 10, 10), stars=3, ours=True)
    written = coloured(tmp_path / "c.jpg", (10, 10, 10))
    session.write(written, NewRating(5, 90, "m", DATE))
    rejected = coloured(tmp_path / "d.jpg", (10, 200, 10), stars=-1)
    unrated = tmp_path / "e.jpg"
    unrated.write_bytes(coloured(tmp_path / "x.jpg", (1, 1, 1)).read_bytes()[:-50])
    damaged = tmp_path / "f.jpg"
    damaged.write_bytes(rated.read_bytes()[:-50])
    photos = [rated, ours, written, rejected, unrated, damaged, tmp_path / "missing.jpg"]
    lessons = list(read_lessons(photos, scorer, session))
    assert [lesson.path for lesson in lessons] == photos
    assert [lesson.stars for lesson in lessons] == [4, None, None, 0, None, 4, None]
    assert [lesson.embedding is not None for lesson in lessons] == [True, False, False, True, False, False, False]
    assert [lesson.error is not None for lesson in lessons] == [False] * 5 + [True] * 2
    assert lessons[0].embedding[:3] == pytest.approx([200, 10, 10], abs=3)


def test_a_raw_and_its_jpeg_teach_once(tmp_path: Path, scorer: Scorer, session: MetadataSession) -> None:
    jpeg, raw = coloured(tmp_path / "IMG_1.JPG", (200, 10, 10), stars=4), grey_raw(tmp_path / "IMG_1.DNG")
    for photos in ([jpeg, raw], [raw, jpeg]):
        lessons = list(read_lessons(photos, scorer, session))
        assert [lesson.stars for lesson in lessons] == [4, None]
        assert lessons[0].embedding[:3] == pytest.approx([200, 10, 10], abs=3)


def test_stars_teach_a_taste_that_scores_as_the_person_would(
    tmp_path: Path, scorer: Scorer, session: MetadataSession
) -> None:
    photos = red_lover(tmp_path / "photos")
    learnt = learn(list(read_lessons(photos, scorer, session)), session, scorer.tag)
    assert (learnt.verdict, learnt.answers, learnt.groups) == (Verdict.LEARNT, 60, 60)
    red, bright = coloured(tmp_path / "red.jpg", (150, 20, 20)), coloured(tmp_path / "bright.jpg", (150, 200, 200))
    with Scorer(encoder=scorer.encoder, jobs=1, taste=learnt.taste) as personal:
        scores = [[scored.score for scored in judge.score([red, bright])] for judge in (scorer, personal)]
    assert scores[0][0] < scores[0][1]
    assert scores[1][0] > scores[1][1]


def test_choices_teach_it_as_well(tmp_path: Path, scorer: Scorer, session: MetadataSession) -> None:
    lessons = list(look_at(red_lover(tmp_path / "photos"), scorer))
    redness = [float(lesson.embedding[0] / np.linalg.norm(lesson.embedding)) for lesson in lessons]
    random = np.random.default_rng(0)
    pairs = [random.choice(60, 2, replace=False) for _ in range(80)]
    choices = np.array([(a, b) if redness[a] > redness[b] else (b, a) for a, b in pairs])
    learnt = learn_by_choices(choices, lessons, session, scorer.tag)
    assert learnt.verdict is Verdict.LEARNT
    assert learnt.taste.weights[0] > 0
    assert learnt.taste.model == scorer.tag


def test_photos_without_a_rating_and_no_photos_keep_the_general_score(scorer: Scorer, session: MetadataSession) -> None:
    assert learn([], session, scorer.tag).verdict is Verdict.TOO_FEW
    assert learn([Lesson(Path("a.jpg"))], session, scorer.tag).answers == 0


def test_photos_to_choose_from_are_drawn_and_those_of_earlier_choices_are_there(tmp_path: Path) -> None:
    photos = [coloured(tmp_path / f"{n}.jpg", (n, n, n)) for n in range(20)]
    kept = [photos[3], tmp_path / "gone.jpg"]
    drawn = draw(photos, 5, kept, seed=1)
    assert drawn[0] == photos[3]
    assert len(drawn) == len(set(drawn)) == 6
    assert set(drawn) <= set(photos)
    assert set(draw(photos, 99, [], seed=1)) == set(photos)
    raw = grey_raw(tmp_path / "0.DNG")
    assert len(draw([photos[0], raw], 5)) == 1
