"""The real darktable 4.2: it shows the stars that we wrote, and neither loses what the other did."""

from __future__ import annotations

import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

from aesth import Scorer
from aesth.metadata import MetadataSession, sidecars
from aesth.tagging import Action, Outcome, Policy, tag
from support.darktable import STYLE, Darktable, Edit
from support.desktop import Desktop, need, wait_until
from support.metadata import make_photo
from support.rated import Rated, make_raw, new, state

pytestmark = [pytest.mark.apps, pytest.mark.timeout(900)]

UNRATED = {"ui_last/import_initial_rating": "0"}
"""A photo without a rating is imported as such; the default gives it one star."""

_NAMESPACE = "http://darktable.sf.net/"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"


@pytest.fixture(scope="module")
def screen_of_darktable(request: pytest.FixtureRequest, screen: Desktop) -> Desktop:
    need(request.config, "darktable")
    return screen


def edits(sidecar: Path) -> list[tuple[object, ...]]:
    """The steps of the edit history in a sidecar: number, operation, its version, and whether it is on."""
    history = ElementTree.parse(sidecar).find(f".//{{{_NAMESPACE}}}history")
    assert history is not None, sidecar
    names = ("num", "operation", "modversion", "enabled")
    steps = [[item.attrib[f"{{{_NAMESPACE}}}{name}"] for name in names] for item in history.iter(f"{_RDF}li")]
    return [(int(number), operation, int(version), int(on)) for number, operation, version, on in steps]


def in_lua(names: dict[str, int]) -> str:
    return "{" + ", ".join(f"['{name}'] = {stars}" for name, stars in names.items()) + "}"


def edit_all(folder: Path, count: int) -> str:
    """Lua that imports a folder and edits each of its photos."""
    return (
        f"it.import('{folder}', {count}) dt.styles.import('{folder}.dtstyle')\n"
        "it.wait(function() return #dt.styles > 0 and it.style('sharp and bright') end, 60, 'a style')\n"
        "for i = 1, #dt.database do dt.styles.apply(it.style('sharp and bright'), dt.database[i]) end\n"
    )


def make_style(folder: Path) -> None:
    """A style beside ``folder`` that changes two modules: sharpen by 2, 0.5, 0.5, and exposure by 1 EV."""
    style = STYLE.format(name="sharp and bright")
    folder.with_name(f"{folder.name}.dtstyle").write_text(style)


def test_it_shows_the_stars_that_we_wrote(screen_of_darktable: Desktop, rated: Rated, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    shutil.copytree(rated.folder, folder)
    darktable = Darktable(screen_of_darktable, "reading", UNRATED)
    darktable.run(f"it.import('{folder}', {len(rated.stars)})")
    shown = {Path(path).name: stars for path, stars in darktable.ratings().items()}
    assert shown == {**rated.stars, "adobe-1.dng": 1}  # of Adobe's sidecars it takes no rejects


def test_its_ratings_and_edits_stand_and_we_know_ours(
    screen_of_darktable: Desktop, session: MetadataSession, scorers: tuple[Scorer, Scorer], tmp_path: Path
) -> None:
    folder = tmp_path / "edited"
    folder.mkdir()
    make_style(folder)
    photos = [make_photo(folder / f"{name}.jpg", 20 + 9 * place) for place, name in enumerate(_PEOPLE)]
    photos += [make_raw(folder / f"{name}.dng", place) for place, name in enumerate(_PEOPLE)]
    for photo in photos:
        if photo.stem in ("ours", "changed"):
            session.write(photo, new(4))
    ratings = {f"{name}.{kind}": stars for name, stars in _PEOPLE.items() if stars for kind in ("jpg", "dng")}
    darktable = Darktable(screen_of_darktable, "editing", UNRATED)
    darktable.run(
        edit_all(folder, len(photos))
        + f"for name, stars in pairs({in_lua(ratings)}) do it.photo(name).rating = stars end"
    )
    edited = darktable.histories()
    assert all({step[1] for step in edited[str(photo)]} >= {"sharpen", "exposure"} for photo in photos)
    before = Path(shutil.copytree(folder, tmp_path / "before"))

    for photo in photos:
        found = state(session, photo)
        assert found.our_rating == (4 if photo.stem in ("ours", "changed") else None), photo.name
        assert found.rating == {"ours": 4, "plain": None}.get(photo.stem, _PEOPLE[photo.stem]), photo.name
    first = {outcome.path: outcome for outcome in tag(photos, scorers[0], session)}
    kept, ours, plain = ({p for p in photos if p.stem in stems} for stems in (_RATED, ("ours",), ("plain",)))
    assert {photo: first[photo].action for photo in photos} == {
        **dict.fromkeys(kept, Action.KEPT),
        **dict.fromkeys(ours, Action.SKIPPED),
        **dict.fromkeys(plain, Action.WRITTEN),
    }

    again = {outcome.path: outcome for outcome in tag(photos, scorers[0], session, policy=Policy.OVERWRITE)}
    assert {outcome.action for outcome in again.values()} == {Action.WRITTEN}
    anew = Darktable(screen_of_darktable, "importing again", UNRATED)
    anew.run(f"it.import('{before}', {len(photos)}) it.import('{folder}', {len(photos)})")
    histories, ratings = anew.histories(), anew.ratings()
    for photo in photos:
        steps = histories[str(photo)]
        assert by_a_person(steps) == by_a_person(histories[str(before / photo.name)]), photo.name
        assert {edit[0] for edit in by_a_person(steps)} == {"sharpen", "exposure"}, photo.name
        assert ratings[str(photo)] == again[photo].rating


_PEOPLE = {"ours": 0, "changed": 2, "rejected": -1, "rated": 3, "plain": 0}
"""Photos -> what a person gives them in darktable, 0 for nothing."""

_RATED = ("changed", "rejected", "rated")


def test_neither_loses_anything_when_both_write_at_once(
    screen_of_darktable: Desktop, session: MetadataSession, scorers: tuple[Scorer, Scorer], tmp_path: Path
) -> None:
    """Darktable rates photos and takes their ratings away, over and over, while aesth tags them; it ends with stars."""
    folder, ready, enough = (tmp_path / name for name in ("busy", "ready", "enough"))
    folder.mkdir()
    make_style(folder)
    photos = [make_photo(folder / f"{number}.jpg", 5 + 9 * number) for number in range(10)]
    last = {photo.name: 1 if number % 2 else 5 for number, photo in enumerate(photos)}  # none is what aesth would give
    beside = [photo.with_name(f"{photo.name}.xmp") for photo in photos]
    darktable = Darktable(screen_of_darktable, "at once", UNRATED)
    outcomes: list[Outcome] = []
    with darktable.started(
        edit_all(folder, len(photos))
        + f"""
        it.wait(function()
          for i = 1, #dt.database do
            if not it.contains('{folder}/' .. dt.database[i].filename .. '.xmp', 'sharpen') then return false end
          end
          return true
        end, 60, 'edits in all sidecars')
        io.open('{ready}', 'w'):close()
        local rounds = 0
        repeat
          for name in pairs({in_lua(last)}) do it.photo(name).rating = 0 end
          dt.control.sleep(500)
          for name, stars in pairs({in_lua(last)}) do
            it.photo(name).rating = stars
            dt.control.sleep(50)
          end
          rounds = rounds + 1
        until it.exists('{enough}') or rounds == 30
        """
    ) as process:
        wait_until(ready.exists, "edits in all sidecars", process)
        while process.poll() is None:
            for scorer in scorers:
                outcomes += tag(photos, scorer, session, rescore=True)
            if sum(outcome.action is Action.WRITTEN for outcome in outcomes) >= len(photos):
                enough.touch()
    assert enough.exists(), f"aesth wrote nothing while darktable did: {outcomes[-1]}"
    final = list(tag(photos, scorers[0], session, rescore=True))
    assert {outcome.path.name: (outcome.action, outcome.rating) for outcome in final} == {
        name: (Action.KEPT, stars) for name, stars in last.items()
    }
    histories = darktable.histories()
    for photo, sidecar in zip(photos, beside, strict=True):
        assert sidecars.fault(sidecar.read_bytes()) == "", sidecar
        assert {"sharpen", "exposure"} <= {step[1] for step in edits(sidecar)}, sidecar
        assert edits(sidecar) == [step[:4] for step in histories[str(photo)]], sidecar
    assert {path.suffix for path in folder.iterdir()} == {".jpg", ".xmp"}


def by_a_person(history: list[Edit]) -> list[tuple[object, ...]]:
    """The last steps, of the style; darktable puts some of its own before them in whatever photo it happens to show."""
    return [step[1:] for step in history[-2:]]
