"""The pictures of the plugin's README, taken from the real darktable with free photos.

AESTH_PICTURES=docs pytest -m apps tests/apps/test_darktable_pictures.py
"""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from support.demo import demo_photos
from support.desktop import Desktop, need
from support.plugin import Facts, Plugin
from support.screen import keep

pytestmark = [pytest.mark.apps, pytest.mark.timeout(900)]

WIDTH, HEIGHT, PANEL, TITLE = 1400, 900, 330, 19

SETTINGS = {
    "plugins/lighttable/aesth/expanded": "TRUE",
    **{f"plugins/lighttable/overlays/{mode}/{size}": "3" for mode in range(3) for size in range(4)},  # stars are shown
    "plugins/lighttable/images_in_row": "4",
    "ui_last/panel_left": "320",
    "ui_last/panel_right": str(PANEL),
    "lua/aesth/titles": "TRUE",
}

HIDDEN = (
    "select",
    "image",
    "metadata",
    "export",
    "import",
    "collect",
    "recentcollect",
    "tagging",
    "geotagging",
    "styles",
    "history",
    "copy_history",
)


@pytest.fixture(scope="module")
def shown(
    request: pytest.FixtureRequest, screen: Desktop, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Facts]:
    """A picture of darktable with photos that were scored and sorted by the plugin, and what was in it."""
    need(request.config, "darktable", "xdotool", "import")
    folder = tmp_path_factory.mktemp("pictures")
    photos = folder / "photos"
    if not demo_photos(photos):
        pytest.skip("needs the photos of `make demo`, which could not be fetched")
    plugin = Plugin(screen, None, SETTINGS, name="pictures")
    plugin.install()
    picture = folder / "lighttable.png"
    return picture, plugin.run(work(photos, picture))


def work(photos: Path, picture: Path) -> str:
    count = sum(path.suffix in {".jpg", ".png"} for path in photos.iterdir())
    resize = f"windowmove 0 0 windowsize {WIDTH} {HEIGHT}"
    hide = "\n".join(f'pcall(function() dt.gui.libs["{name}"].visible = false end)' for name in HIDDEN)
    return f"""
        local window = "xdotool search --onlyvisible --class darktable "
        os.execute(window .. "{resize}")
        dt.gui.panel_hide("DT_UI_PANEL_BOTTOM")
        dt.gui.panel_hide("DT_UI_PANEL_LEFT")
        {hide}
        it.import([==[{photos}]==], {count})
        plugin.show([==[{photos}]==])
        plugin.note("said", plugin.run("score"))
        plugin.start("best first")
        dt.control.sleep(5000)
        os.execute("xdotool mousemove 420 400 key Home mousemove 1250 600")
        dt.control.sleep(2000)
        os.execute("xdotool mousemove 1260 620") -- so that no tooltip stays
        dt.control.sleep(3000)
        plugin.note_photos("photos")
        os.execute([==[import -window root '{picture}']==])
    """


def test_the_lighttable_shows_photos_by_their_score(shown: tuple[Path, Facts]) -> None:
    picture, facts = shown
    titles = [title for _, _, _, title in facts["photos"]]
    assert len(titles) > 5
    assert titles == sorted(titles, reverse=True)
    with Image.open(picture) as seen:
        whole = seen.convert("RGB").crop((0, TITLE, WIDTH, HEIGHT))
    assert len(whole.getcolors(WIDTH * HEIGHT) or ()) > 1000
    keep(whole.resize((1000, 1000 * (HEIGHT - TITLE) // WIDTH), Image.Resampling.LANCZOS), "darktable.png")
    keep(whole.crop((WIDTH - PANEL, 60, WIDTH, 400)), "darktable-panel.png")
