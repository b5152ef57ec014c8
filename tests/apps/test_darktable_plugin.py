"""The plugin in the real darktable, used as a photographer does: by its actions, and judged by what is seen there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from support.cli import EVIL_NAMES, aesth_in_process, evil_photos, grey_photo, grey_photos
from support.darktable import STYLE, Edit
from support.desktop import Desktop, need
from support.models import brightness_model
from support.plugin import Facts, Plugin

pytestmark = [pytest.mark.apps, pytest.mark.timeout(2000)]

PERCENTS = (3, 20, 50, 80, 98)
"""Scores that give one star, two, ... by the cut points 10, 35, 70 and 93."""

MANY = 1000

HEADER = r"printf 'path\tscore\trating\told_rating\taction\terror\n'"


@pytest.fixture(scope="module")
def plugin(request: pytest.FixtureRequest, screen: Desktop) -> Plugin:
    need(request.config, "darktable")
    made = Plugin(screen, brightness_model(screen.folder / "brightness-fp32.onnx"))
    made.install()
    return made


@pytest.fixture(scope="module")
def photos(plugin: Plugin, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of photos whose score is known.

    ``inside``: a photo for each number of stars, others with difficult names, and one that is deleted later.
    ``outside``: photos that are rated outside of darktable later.
    """
    folder = tmp_path_factory.mktemp("photos")
    inside, outside = folder / "inside", folder / "outside"
    inside.mkdir()
    outside.mkdir()
    for stars, percent in enumerate(PERCENTS, start=1):
        grey_photo(inside / f"{stars} stars.jpg", percent)
    for name in ("person.jpg", "rejected.jpg", "titled.jpg", "missing.jpg", "brighter.jpg"):
        grey_photo(inside / name, 82)
    for name in ("edited.jpg", "tagged.jpg", "untouched.jpg", "damaged.jpg", "strange.jpg"):
        grey_photo(outside / name, 80)
    return folder


@pytest.fixture(scope="module")
def first(plugin: Plugin, photos: Path) -> Facts:
    """Score, sort, filter; rate some photos and edit others; quit."""
    style = photos / "edits.dtstyle"
    style.write_text(
        STYLE.format(
            name="edits",
            sharpen="00000040000000400000003f",
            exposure="00000000000000000000803f00004842000080c000000000",
        )
    )
    return plugin.run(
        f"""
        dt.styles.import([==[{style}]==])
        it.import([==[{photos / "inside"}]==], {len(PERCENTS) + 5})
        it.import([==[{photos / "outside"}]==], 5)
        for _, name in ipairs({{ "edited.jpg", "tagged.jpg" }}) do
          dt.styles.apply(it.style("edits"), it.photo(name))
        end
        it.photo("untouched.jpg").rating = 2
        it.photo("person.jpg").rating = 2
        it.photo("rejected.jpg").rating = -1
        it.photo("titled.jpg").title = "My holidays"
        it.photo("brighter.jpg"):duplicate()
        os.remove([==[{photos / "inside" / "missing.jpg"}]==])
        plugin.show([==[{photos / "inside"}]==])

        plugin.note("said", plugin.run("score"))
        plugin.note_photos("scored")
        plugin.note("known", require("aesth/lib/runs").known(it.photo("4 stars.jpg")))
        plugin.note("said again", plugin.run("score"))

        plugin.set("titles", "bool", true)
        plugin.run("score")
        plugin.reorder("best first")
        plugin.note_photos("sorted")
        plugin.start("best first")
        dt.control.sleep(1000)
        plugin.note_photos("sorted again")
        plugin.set("titles", "bool", false)

        local library = require "aesth/lib/library"
        library.keep(4)
        dt.control.sleep(300)
        plugin.note_photos("kept")
        library.keep(5)
        dt.control.sleep(300)
        plugin.note_photos("kept fewer")
        library.keep(nil)
        dt.control.sleep(300)
        plugin.note("all", #dt.collection)

        plugin.set("policy", "enum", "all, rejected ones as well")
        plugin.select("person.jpg", "rejected.jpg")
        plugin.note("said of two", plugin.run("score"))
        plugin.note("person", it.photo("person.jpg").rating, it.photo("rejected.jpg").rating)
        plugin.set("policy", "enum", "unrated photos, and those that aesth rated")

        plugin.show([==[{photos / "outside"}]==]) -- darktable writes sidecars when it first shows edited photos
        dt.control.sleep(3000)
        """
    )


@pytest.fixture(scope="module")
def histories(plugin: Plugin, first: Facts) -> dict[str, list[Edit]]:
    """The edits of photos before others wrote into their sidecars."""
    return plugin.darktable.histories()


@pytest.fixture(scope="module")
def second(plugin: Plugin, photos: Path, histories: dict[str, list[Edit]]) -> Facts:
    """After a restart, and after others wrote into sidecars: undo, read ratings, undo that."""
    outside = photos / "outside"
    done = aesth_in_process("tag", "--model", plugin.model or "", "--policy", "overwrite", "--quiet", outside)
    assert done.returncode == 0, done.stderr
    untouched, damaged, strange = (outside / f"{name}.jpg.xmp" for name in ("untouched", "damaged", "strange"))
    untouched.write_text(re.sub('Rating="[0-9]"', 'Rating="2"', untouched.read_text()))
    damaged.write_text(damaged.read_text()[:-30])
    edits = 'darktable:history_auto_hash="00" darktable:history_current_hash="11" darktable:xmp_version'
    strange.write_text(strange.read_text().replace("darktable:xmp_version", edits))
    (photos / "histories").mkdir()
    for path in (damaged, strange, outside / "edited.jpg.xmp"):
        shutil.copy(path, photos / "histories")
    return plugin.run(
        f"""
        plugin.show([==[{photos / "inside"}]==])
        plugin.note("said of undo", plugin.run("undo last run"))
        plugin.note("person", it.photo("person.jpg").rating, it.photo("rejected.jpg").rating)
        plugin.note("said of undo again", plugin.run("undo last run"))
        plugin.note("known", require("aesth/lib/runs").known(it.photo("4 stars.jpg")))

        plugin.show([==[{outside}]==])
        plugin.note_photos("before")
        plugin.note("said", plugin.run("read ratings from sidecars"))
        plugin.note_photos("read")
        plugin.note("model", require("aesth/lib/runs").known(it.photo("tagged.jpg")))
        plugin.note("said again", plugin.run("read ratings from sidecars"))
        it.photo("tagged.jpg").rating = 3
        plugin.run("undo last run")
        plugin.note_photos("undone")
        """
    )


def stars(notes: list[list[str]]) -> dict[tuple[str, int], int]:
    """File name and version -> stars, of what `note_photos` noted."""
    return {(name, int(version)): int(rating) for name, version, rating, _ in notes}


class TestScoring:
    def test_each_photo_gets_the_stars_of_its_score(self, first: Facts) -> None:
        seen = stars(first["scored"])
        assert {seen[f"{number} stars.jpg", 0] for number in range(1, 6)} == {1, 2, 3, 4, 5}
        assert all(seen[f"{number} stars.jpg", 0] == number for number in range(1, 6))

    def test_a_persons_rating_and_a_reject_stay(self, first: Facts) -> None:
        seen = stars(first["scored"])
        assert seen["person.jpg", 0] == 2
        assert seen["rejected.jpg", 0] == -1

    def test_versions_share_a_score(self, first: Facts) -> None:
        seen = stars(first["scored"])
        assert seen["brighter.jpg", 0] == seen["brighter.jpg", 1] == 4

    def test_a_missing_photo_is_told_and_the_others_are_scored(self, first: Facts) -> None:
        ((said,),) = first["said"]
        assert "1 failed, such as missing.jpg: " in said
        assert stars(first["scored"])["missing.jpg", 0] == 1

    def test_the_score_and_the_model_are_known_afterwards(self, first: Facts) -> None:
        ((score, model),) = first["known"]
        assert float(score) == pytest.approx(80, abs=1)
        assert model == "brightness-fp32"

    def test_a_second_run_changes_nothing(self, first: Facts) -> None:
        ((said,),) = first["said again"]
        assert said.startswith("0 rated, 8 unchanged, 2 kept")

    def test_only_the_selection_is_scored_and_the_policy_may_let_it_rate_all(self, first: Facts) -> None:
        assert first["said of two"] == [["2 rated, 0 unchanged, 0 kept"]]
        assert first["person"] == [["4", "4"]]


class TestSorting:
    def test_best_first_sorts_by_stars_then_by_exact_score(self, first: Facts) -> None:
        scored = [(int(rating), title) for _, _, rating, title in first["sorted"] if title not in ("", "My holidays")]
        assert len(scored) >= 8
        assert scored == sorted(scored, reverse=True)
        assert [int(rating) for _, _, rating, _ in first["sorted"]] == sorted(
            (int(rating) for _, _, rating, _ in first["sorted"]), reverse=True
        )

    def test_a_second_time_it_sorts_the_same(self, first: Facts) -> None:
        assert first["sorted again"] == first["sorted"]

    def test_a_title_that_a_person_gave_stays(self, first: Facts) -> None:
        titles = {name: title for name, _, _, title in first["sorted"]}
        assert titles["titled.jpg"] == "My holidays"
        assert re.fullmatch(r"0\d\d\.\d\d", titles["4 stars.jpg"])
        assert titles["missing.jpg"] == ""

    def test_keep_shows_photos_of_so_many_stars_and_up(self, first: Facts) -> None:
        everything = stars(first["scored"])
        for name, least in (("kept", 4), ("kept fewer", 5)):
            assert stars(first[name]) == {photo: rating for photo, rating in everything.items() if rating >= least}
        assert first["all"] == [[str(len(everything))]]


class TestUndo:
    def test_it_gives_the_old_ratings_back_after_a_restart(self, second: Facts) -> None:
        assert second["person"] == [["2", "-1"]]
        assert second["said of undo"] == [["2 changes taken back"]]

    def test_there_is_nothing_to_undo_twice(self, second: Facts) -> None:
        assert second["said of undo again"] == [["there is no run to undo"]]

    def test_scores_stay_known_after_a_restart(self, first: Facts, second: Facts) -> None:
        assert second["known"] == first["known"]


class TestReadingSidecars:
    def test_darktable_takes_no_changed_rating_by_itself(self, second: Facts) -> None:
        assert stars(second["before"])["tagged.jpg", 0] == 1

    def test_changed_ratings_are_taken(self, second: Facts) -> None:
        seen = stars(second["read"])
        assert seen["edited.jpg", 0] == seen["tagged.jpg", 0] == 4
        assert seen["untouched.jpg", 0] == 2

    def test_edit_histories_stay(
        self, plugin: Plugin, photos: Path, histories: dict[str, list[Edit]], second: Facts
    ) -> None:
        edits = histories[str(photos / "outside" / "edited.jpg")]
        assert {step[1] for step in edits} >= {"sharpen", "exposure"}
        assert plugin.darktable.histories() == histories
        before, after = (photos / folder / "edited.jpg.xmp" for folder in ("histories", "outside"))
        assert history_in(after) == history_in(before) != ""

    def test_a_damaged_sidecar_is_told_and_stays(self, photos: Path, second: Facts) -> None:
        ((said,),) = second["said"]
        assert "1 sidecars are damaged and were left alone (damaged.jpg)" in said
        assert stars(second["read"])["damaged.jpg", 0] == 1
        assert_untouched(photos, "damaged.jpg.xmp")

    def test_edits_that_darktable_does_not_know_are_told_and_stay(self, photos: Path, second: Facts) -> None:
        ((said,),) = second["said"]
        assert "1 hold edits that darktable does not know: load the sidecar first (strange.jpg)" in said
        assert_untouched(photos, "strange.jpg.xmp")

    def test_what_aesth_wrote_outside_is_known(self, second: Facts) -> None:
        ((score, model),) = second["model"]
        assert float(score) == pytest.approx(80, abs=1)
        assert model.startswith("brightness-fp32 ")

    def test_a_second_time_nothing_is_left_to_take(self, second: Facts) -> None:
        assert second["said again"][0][0].startswith("0 ratings taken from sidecars, 3 unchanged; ")

    def test_it_can_be_undone_but_for_what_changed_since(self, second: Facts) -> None:
        seen = stars(second["undone"])
        assert seen["edited.jpg", 0] == 1
        assert seen["tagged.jpg", 0] == 3


def history_in(sidecar: Path) -> str:
    """The edits that a sidecar holds, as they are written."""
    found = re.search("<darktable:history>.*</darktable:history>", sidecar.read_text(), re.DOTALL)
    return found[0] if found else ""


def assert_untouched(photos: Path, name: str) -> None:
    assert (photos / "outside" / name).read_bytes() == (photos / "histories" / name).read_bytes()


@pytest.fixture(scope="module")
def third(plugin: Plugin, photos: Path, second: Facts) -> Facts:
    """Programs that fail, photos that are imported, many photos, and a plugin that is switched off and on."""
    evil, imported, many = (photos / name for name in ("evil", "imported", "many"))
    for folder in (evil, imported, many):
        folder.mkdir()
    evil_photos(evil)
    grey_photo(imported / "imported.jpg", 80)
    grey_photos(many, MANY)
    programs = {
        "missing": photos / "nowhere" / "aesth",
        "no aesth": script(photos / "no-aesth", "echo hello"),
        "old": script(photos / "old", "echo 'No such option: --null' >&2; exit 2"),
        "needy": script(photos / "needy", "echo 'aesth: no model is there' >&2; exit 3"),
        "crashing": script(photos / "crashing", rf"{HEADER}; line 91.00 1; kill -9 $$"),
        "talkative": script(photos / "talkative", rf"{HEADER}; line 20.00 1; echo hm; line 91.00 2; printf 'cut off'"),
    }
    wrong = "\n".join(
        f"""
        plugin.set("program", "file", [==[{program}]==])
        plugin.note("{name}", plugin.run("score"), it.photo("1 stars.jpg").rating, it.photo("2 stars.jpg").rating)
        """
        for name, program in programs.items()
    )
    return plugin.run(
        f"""
        local runs = require "aesth/lib/runs"
        plugin.show([==[{photos / "inside"}]==])
        plugin.select("1 stars.jpg", "2 stars.jpg")
        {wrong}
        plugin.set("program", "file", "")

        it.import([==[{evil}]==], {len(EVIL_NAMES)})
        plugin.show([==[{evil}]==])
        plugin.note("said of evil", plugin.run("score"))
        plugin.note_photos("evil")

        local script = require "aesth/aesth"
        script.destroy()
        plugin.note("hidden", dt.gui.libs["aesth"].visible)
        script.restart()
        plugin.note("shown", dt.gui.libs["aesth"].visible, plugin.run("undo last run"))

        plugin.set("on_import", "bool", true)
        it.import([==[{imported}]==], 1)
        plugin.wait_for(200, function() return it.photo("imported.jpg").rating == 4 end)
        plugin.wait_for(200, function() return not runs.is_busy() end)
        plugin.set("on_import", "bool", false)

        it.import([==[{many}]==], {MANY})
        plugin.show([==[{many}]==])
        local last = dt.collection[{MANY}]
        plugin.start("score")
        plugin.wait_for(200, function() return dt.collection[1].rating == 3 end)
        runs.cancel()
        plugin.wait_for(200, function() return not runs.is_busy() end)
        plugin.note("cancelled", plugin.said(), dt.collection[1].rating, last.rating)

        local began = os.time()
        plugin.note("many", plugin.run("score"), os.time() - began, plugin.turns)
        local known = 0
        for i = 1, {MANY} do known = known + (dt.collection[i].rating == 3 and 1 or 0) end
        plugin.note("rated", known)
        began = os.time()
        plugin.note("taken back", plugin.run("undo last run"), os.time() - began)

        plugin.start("score")
        plugin.wait_for(200, runs.is_busy)
        dt.control.sleep(3000) -- and quit, while it runs
        """
    )


def script(path: Path, what: str) -> Path:
    """A program that answers for aesth in its own way; ``line SCORE NUMBER`` is about the photo NUMBER stars.jpg."""
    path.write_text(
        f"""#!/bin/sh
        [ "$1" = models ] && [ "{path.name}" != no-aesth ] && {{ echo '[]'; exit; }}
        list=$(tr '\\0' '\\n')
        line() {{ printf '%s\\t%s\\t4\\t\\tscored\\t\\n' "$(echo "$list" | grep "$2 stars")" "$1"; }}
        {what}
        """
    )
    path.chmod(0o755)
    return path


class TestErrors:
    def test_a_missing_program_is_named_with_what_to_do(self, photos: Path, third: Facts) -> None:
        ((said, *_),) = third["missing"]
        assert f"the program {photos / 'nowhere' / 'aesth'} was not found" in said
        assert "preferences > Lua options" in said

    def test_a_program_that_is_not_aesth_is_told(self, third: Facts) -> None:
        assert "does not answer as aesth does" in third["no aesth"][0][0]

    def test_an_old_version_is_told(self, third: Facts) -> None:
        ((said, *_),) = third["old"]
        assert said == "this aesth does not know what it was asked; update it. It said: No such option: --null"

    def test_what_it_lacks_is_told(self, third: Facts) -> None:
        assert third["needy"][0][0] == "something that aesth needs is missing: no model is there"

    def test_what_it_did_before_it_crashed_stays(self, third: Facts) -> None:
        ((said, first, second),) = third["crashing"]
        assert said.startswith("aesth ended early: exit code 137; 1 rated")
        assert (int(first), int(second)) == (4, 2)

    def test_malformed_lines_are_passed_over_and_told(self, third: Facts) -> None:
        ((said, first, second),) = third["talkative"]
        assert said.startswith("2 rated")
        assert "2 lines of its answer made no sense and were passed over" in said
        assert (int(first), int(second)) == (2, 4)


class TestMorePhotos:
    def test_names_that_break_programs_are_scored(self, third: Facts) -> None:
        assert stars(third["evil"]) == {(name, 0): 3 for name in EVIL_NAMES}
        assert third["said of evil"][0][0].startswith(f"{len(EVIL_NAMES)} rated, 0 unchanged, 0 kept")

    def test_a_cancelled_run_keeps_what_it_did(self, third: Facts) -> None:
        ((said, first, last),) = third["cancelled"]
        assert said.startswith("cancelled; ")
        assert (int(first), int(last)) == (3, 1)

    def test_thousands_are_rated_while_darktable_does_other_things(self, third: Facts) -> None:
        ((said, seconds, turns),) = third["many"]
        ((undone, seconds_of_undo),) = third["taken back"]
        print(f"{MANY} photos: {said}, in {seconds} s; {undone}, in {seconds_of_undo} s")
        assert third["rated"] == [[str(MANY)]]
        assert int(turns) > 10
        assert undone.split()[0] == said.split()[0]

    def test_the_plugin_can_be_switched_off_and_on(self, third: Facts) -> None:
        assert third["hidden"] == [["false"]]
        ((shown, said),) = third["shown"]
        assert shown == "true"
        assert said == f"{len(EVIL_NAMES)} changes taken back"


@pytest.fixture(scope="module")
def fourth(plugin: Plugin, photos: Path) -> Facts:
    """Bursts: three photos of one moment, and two of another, which the camera did not take."""
    burst = photos / "burst"
    burst.mkdir()
    for name, percent, second in (("dark", 40, "01"), ("bright", 60, "01"), ("mid", 50, "02"), ("late", 50, "40")):
        path = grey_photo(burst / f"{name}.jpg", percent)
        exif = Image.Exif()
        exif[0x010F], exif[0x0110] = "Maker", "Model"
        exif.get_ifd(0x8769)[0x9003] = f"2026:05:31 12:00:{second}"
        with Image.open(path) as picture:
            picture.save(path, quality=95, exif=exif)
    return plugin.run(
        f"""
        it.import([==[{burst}]==], 4)
        plugin.show([==[{burst}]==])
        local function note(name)
          for i = 1, #dt.collection do
            local image = dt.collection[i]
            plugin.note(name, image.filename, image.group_leader.filename, image.green)
          end
        end
        plugin.note("said", plugin.run("best of each group"))
        note("grouped")
        plugin.run("undo last run")
        note("undone")
        plugin.set("best", "enum", "green label")
        plugin.run("best of each group")
        note("labelled")
        plugin.run("undo last run")
        note("undone again")
        """
    )


class TestBestOfEachGroup:
    def test_a_burst_is_grouped_with_the_best_on_top(self, fourth: Facts) -> None:
        assert fourth["said"] == [["1 groups found"]]
        leaders = {name: leader for name, leader, _ in fourth["grouped"]}
        assert leaders == dict.fromkeys(("dark.jpg", "bright.jpg", "mid.jpg"), "bright.jpg") | {"late.jpg": "late.jpg"}

    def test_or_the_best_gets_a_label(self, fourth: Facts) -> None:
        assert {name for name, _, is_green in fourth["labelled"] if is_green == "true"} == {"bright.jpg"}

    def test_both_can_be_undone(self, fourth: Facts) -> None:
        for seen in (fourth["undone"], fourth["undone again"]):
            assert all(name == leader and is_green == "false" for name, leader, is_green in seen)
