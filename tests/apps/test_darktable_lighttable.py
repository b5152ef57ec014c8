"""The plugin under darktable's script manager: RAW files, stars by rank, and what a person sees and clicks."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import pytest

from support.cli import aesth_in_process, grey_photo, grey_raw
from support.desktop import Desktop, need
from support.models import brightness_model
from support.plugin import Facts, Plugin

pytestmark = [pytest.mark.apps, pytest.mark.timeout(900)]

MANAGER = Path(__file__).parents[1] / "support" / "script_manager.lua"

START = f"""
manager = dofile([==[{MANAGER}]==])
local script = manager.scripts[1]
manager.start(script)
manager.stop(script) -- at once, before the plugin could show anything
manager.start(script)
"""

INFORMATION = (
    "filename,aesth score,aesth model,"
    "|filmroll,|image id,|group id,|version,|full path,|local copy,|import timestamp,"
    "|change timestamp,|export timestamp,|print timestamp,|flags,|model,|maker,|lens,|aperture,"
    "|exposure,|exposure bias,|focal length,|focus distance,|ISO,|datetime,|width,|height,"
    "|export width,|export height,|title,|description,|creator,|publisher,|rights,|notes,"
    "|version name,|latitude,|longitude,|elevation,|tags,|categories"
)
"""The lines of the image information; those with a bar are hidden."""

PANEL = 280

CROSSES = f"mousemove {PANEL - 9} 875 click 1 mousemove {PANEL - 22} 875 click 1"
"""Press where the bar of a run has its cross, in darktable 4.2 and in 5.0: at the end of the left panel, in a window of
1400 x 900."""

SETTINGS = {
    "plugins/lighttable/aesth/expanded": "TRUE",
    "plugins/lighttable/image/expanded": "TRUE",
    "plugins/lighttable/metadata_view/expanded": "TRUE",
    "plugins/lighttable/metadata_view/visible": INFORMATION,
    "ui_last/panel_left": str(PANEL),
}

SILENCE = 60
"""Seconds for which a program says nothing."""

RANKED = tuple(range(71, 81))
"""Scores that all give four stars, but by their rank one to five."""


@pytest.fixture(scope="module")
def plugin(request: pytest.FixtureRequest, screen: Desktop) -> Plugin:
    need(request.config, "darktable", "xdotool", "import")
    made = Plugin(screen, brightness_model(screen.folder / "brightness-fp32.onnx"), SETTINGS, name="managed")
    made.install()
    (made.config / "luarc").write_text(START)
    return made


@pytest.fixture(scope="module")
def seen(plugin: Plugin, tmp_path_factory: pytest.TempPathFactory) -> Facts:
    """All that one start of darktable shows."""
    photos = tmp_path_factory.mktemp("photos")
    raw, ranked, ready = photos / "raw", photos / "ranked", photos / "ready"
    for folder in (raw, ranked, ready):
        folder.mkdir()
    grey_raw(raw / "alone.dng", 20)
    grey_raw(raw / "doubled.cr2", 80)
    grey_raw(raw / "pair.dng", 5)
    grey_photo(raw / "pair.jpg", 98)
    grey_photo(raw / "single.jpg", 50)
    grey_raw(raw / "tagged.dng", 80)
    done = aesth_in_process(
        *("tag", "--model", plugin.model or "", "--sidecar-style", "adobe", "--quiet", raw / "tagged.dng")
    )
    assert done.returncode == 0, done.stderr
    later = shutil.copy(raw / "tagged.xmp", ready / "alone.xmp")
    for number in RANKED:
        grey_photo(ranked / f"{number}.jpg", number)
    slow = photos / "slow"
    slow.write_text(f"#!/bin/sh\nexec sleep {SILENCE}\n")
    slow.chmod(0o755)
    facts = plugin.run(
        f"""
        local runs = require "aesth/lib/runs"
        plugin.xdotool("search --onlyvisible --class darktable windowmove 0 0 windowsize 1400 900")
        plugin.wait_for(60, function()
          dt.gui.panel_hide("DT_UI_PANEL_BOTTOM")
          dt.control.sleep(300)
          return not dt.gui.panel_visible("DT_UI_PANEL_BOTTOM")
        end)

        local script = manager.scripts[1]
        for _, found in ipairs(manager.scripts) do plugin.note("scripts", found.name) end
        plugin.note("documentation", script.documentation)
        for name, value in pairs(script.metadata) do
          plugin.note("metadata", name, value, script.data.metadata[name])
        end
        plugin.note("started", dt.gui.libs["aesth"].visible)

        it.import([==[{raw}]==], 6)
        it.photo("doubled.cr2"):duplicate()
        plugin.show([==[{raw}]==])
        plugin.note_photos("imported")
        plugin.note("tagged outside", runs.known(it.photo("tagged.dng")))
        plugin.note("said of raw", plugin.run("score"))
        plugin.note_photos("raw")
        os.remove(it.photo("alone.dng").sidecar)
        os.rename([==[{later}]==], [==[{raw / "alone.xmp"}]==])
        plugin.select("alone.dng")
        plugin.note("said of sidecar", plugin.run("read ratings from sidecars"), it.photo("alone.dng").rating)

        it.import([==[{ranked}]==], {len(RANKED)})
        plugin.show([==[{ranked}]==])
        plugin.note("said of nothing", plugin.said_after(function() plugin.press("score") end))
        plugin.select("71.jpg", "80.jpg")
        plugin.note("said of two", plugin.said_after(function() plugin.press("score") end))
        plugin.note_photos("two")
        plugin.note("said of their sidecars", plugin.said_after(function() plugin.press("sidecars") end))
        dt.gui.selection({{}})
        plugin.run("score")
        plugin.note_photos("absolute")
        plugin.set("relative", "bool", true)
        plugin.run("score")
        plugin.note_photos("relative")
        plugin.set("relative", "bool", false)

        local function point()
          plugin.xdotool("mousemove 600 500 mousemove 400 200 mousemove 410 210")
          dt.control.sleep(300)
          return dt.gui.hovered and plugin.shown("aesth score") ~= "-"
        end
        plugin.wait_for(60, point)
        local image = dt.gui.hovered
        local score, model = runs.known(image)
        plugin.note("information", plugin.shown("aesth score"), plugin.shown("aesth model"))
        plugin.note("pointed at", string.format("%.2f", score), model)
        os.execute([==[import -window root '{plugin.darktable.folder / "information.png"}']==])

        plugin.set("program", "file", [==[{slow}]==])
        plugin.start("score")
        plugin.wait_for(60, runs.is_busy)
        plugin.wait_for(60, function()
          plugin.xdotool("{CROSSES}")
          dt.control.sleep(200)
          return not runs.is_busy()
        end)
        plugin.note("said of the cross", plugin.said())

        plugin.start("score")
        plugin.wait_for(60, runs.is_busy)
        manager.stop(script)
        plugin.wait_for(60, function() return not runs.is_busy() end)
        plugin.note("stopped", dt.gui.libs["aesth"].visible, plugin.has_button("score"), plugin.said())
        plugin.start("best first")
        plugin.start("score")
        dt.control.sleep(500)
        plugin.note("busy when stopped", runs.is_busy(), plugin.said())
        manager.start(script)
        plugin.set("program", "file", "")
        plugin.note("started again", dt.gui.libs["aesth"].visible, plugin.has_button("score"), plugin.run("score"))

        plugin.set("program", "file", [==[{slow}]==])
        plugin.start("score")
        plugin.wait_for(60, runs.is_busy)
        plugin.note("quit", os.time()) -- while a program runs that says nothing
        """
    )
    facts["over"] = [[str(time.time())]]
    return facts


def stars(notes: list[list[str]]) -> dict[str, int]:
    """File name, with the number of a version behind it -> stars, of what `note_photos` noted."""
    return {name + (f" {version}" if int(version) else ""): int(rating) for name, version, rating, _ in notes}


class TestRaw:
    def test_raw_files_pairs_and_their_versions_are_scored_together(self, seen: Facts) -> None:
        assert stars(seen["raw"]) == {
            "alone.dng": 2,
            "doubled.cr2": 4,
            "doubled.cr2 1": 4,
            "pair.dng": 5,
            "pair.jpg": 5,
            "single.jpg": 3,
            "tagged.dng": 4,
        }

    def test_what_aesth_wrote_into_adobes_sidecar_is_known_as_ours(self, seen: Facts) -> None:
        assert stars(seen["imported"])["tagged.dng"] == 4
        ((score, model),) = seen["tagged outside"]
        assert float(score) == pytest.approx(80, abs=1)
        assert model.startswith("brightness-fp32 ")
        assert seen["said of raw"] == [["6 rated, 1 unchanged, 0 kept"]]

    def test_ratings_are_read_from_adobes_sidecar_where_there_is_no_other(self, seen: Facts) -> None:
        assert seen["said of sidecar"] == [["1 ratings taken from sidecars, 0 unchanged", "4"]]


class TestRelative:
    def test_by_score_all_have_the_same_stars(self, seen: Facts) -> None:
        assert set(stars(seen["absolute"]).values()) == {4}

    def test_by_rank_each_has_those_of_the_share_that_it_surpasses(self, seen: Facts) -> None:
        shares = [100 * (rank + 0.5) / len(RANKED) for rank in range(len(RANKED))]
        expected = [1 + sum(share >= cut for cut in (10, 35, 70, 93)) for share in shares]
        assert set(expected) == {1, 2, 3, 4, 5}
        assert stars(seen["relative"]) == {
            f"{number}.jpg": rating for number, rating in zip(RANKED, expected, strict=True)
        }


class TestSelectedImages:
    def test_the_button_scores_the_selection_alone(self, seen: Facts) -> None:
        assert seen["said of two"] == [["2 rated, 0 unchanged, 0 kept"]]
        assert {name for name, rating in stars(seen["two"]).items() if rating == 4} == {"71.jpg", "80.jpg"}

    def test_the_other_reads_its_sidecars(self, seen: Facts) -> None:
        assert seen["said of their sidecars"] == [["0 ratings taken from sidecars, 2 unchanged"]]

    def test_without_a_selection_it_says_so(self, seen: Facts) -> None:
        assert seen["said of nothing"] == [["no photo is selected"]]


def test_the_image_information_shows_score_and_model_of_the_photo_under_the_pointer(seen: Facts) -> None:
    ((score, model),) = seen["information"]
    assert re.fullmatch(r"[78]\d\.\d\d", score)
    assert model == "brightness-fp32"
    assert seen["information"] == seen["pointed at"]


def test_the_cross_of_the_bar_cancels(seen: Facts) -> None:
    assert seen["said of the cross"][0][0].startswith("cancelled")


class TestScriptManager:
    def test_it_finds_one_script_with_its_documentation(self, seen: Facts) -> None:
        assert seen["scripts"] == [["aesth/aesth"]]
        ((documentation,),) = seen["documentation"]
        assert documentation.strip().startswith("aesth: score photos by how pleasing people will find them")
        assert "ADDITIONAL SOFTWARE NEEDED FOR THIS SCRIPT" in documentation

    def test_it_reads_from_the_text_what_the_script_says_of_itself(self, seen: Facts) -> None:
        read = {name: (text, said) for name, text, said in seen["metadata"]}
        assert read.keys() == {"name", "purpose", "author", "help"}
        assert all(text == said for text, said in read.values())

    def test_it_starts_it_also_where_it_was_stopped_at_once(self, seen: Facts) -> None:
        assert seen["started"] == [["true"]]

    def test_it_stops_it_with_its_run_and_its_buttons(self, seen: Facts) -> None:
        assert seen["stopped"] == [["false", "false", "cancelled"]]

    def test_its_shortcuts_stay_with_their_keys_and_say_that_it_is_switched_off(self, seen: Facts) -> None:
        assert seen["busy when stopped"] == [["false", "switched off; switch it on in the script manager"]]

    def test_it_starts_it_again(self, seen: Facts) -> None:
        assert seen["started again"] == [["true", "true", "8 rated, 2 unchanged, 0 kept"]]


def test_darktable_quits_at_once_while_a_program_says_nothing(seen: Facts) -> None:
    assert float(seen["over"][0][0]) - float(seen["quit"][0][0]) < SILENCE / 2
