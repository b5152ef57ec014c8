"""What the network sees: rendered once, the same in any order, and never half."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aesth import decode
from aesth.errors import ConfigError, DecodeError
from aesth.preprocess import Preprocess
from aesth.training.damage import DAMAGES, recompress
from aesth.training.files import require_space
from aesth.training.views import View, render, render_all
from support.photos import photo, picture
from support.training import run_python

SMALL = Preprocess((32, 48))


@pytest.fixture
def views(tmp_path: Path) -> list[View]:
    """A photo, and a second one with damaged copies whose damage is random."""
    paths = [photo(tmp_path / f"{name}.png", picture(0.5, seed), "PNG") for seed, name in enumerate("ab")]
    damaged = [View(paths[1], kind, "strong", recompressed=True) for kind in ("noise", "crop", "tilt", "motion_blur")]
    return [View(paths[0]), View(paths[1], recompressed=True), *damaged]


def test_a_view_is_the_resized_photo(views: list[View]) -> None:
    pixels = decode.load(views[0].path, at_least=(1 << 30, 1 << 30))
    assert np.array_equal(render(views[0], SMALL), SMALL(pixels))


def test_damage_is_done_to_the_whole_photo_then_saved_once_more_then_resized(views: list[View]) -> None:
    pixels = decode.load(views[0].path, at_least=(1 << 30, 1 << 30))
    view = View(views[0].path, "darker", "weak", recompressed=True)
    expected = SMALL(recompress(DAMAGES["darker"]["weak"](pixels, np.random.default_rng(0))))
    assert np.array_equal(render(view, SMALL), expected)
    assert np.array_equal(render(View(view.path, recompressed=True), SMALL), SMALL(recompress(pixels)))


def test_the_same_seed_gives_the_same_pixels_in_any_order_and_any_number_at_a_time(
    views: list[View], tmp_path: Path
) -> None:
    forward = render_all(views, SMALL, tmp_path / "forward.npy", seed=5, jobs=1)
    backward = render_all(views[::-1], SMALL, tmp_path / "backward.npy", seed=5, jobs=4)
    assert (forward.shape, forward.dtype) == ((6, 32, 48, 3), np.uint8)
    assert np.array_equal(forward, backward[::-1])
    assert all(np.array_equal(forward[index], render(view, SMALL, 5)) for index, view in enumerate(views))


def test_another_seed_damages_otherwise(views: list[View]) -> None:
    for view in views:
        same = np.array_equal(render(view, SMALL, 0), render(view, SMALL, 1))
        assert same == (view.kind is None), "tilt has two sides only" if view.kind == "tilt" else view.kind


def test_an_array_is_used_again_while_nothing_changes(views: list[View], tmp_path: Path) -> None:
    array, rendered = tmp_path / "views.npy", []
    first = render_all(views, SMALL, array, on_progress=rendered.append)
    written = array.stat()
    again = render_all(views, SMALL, array, on_progress=rendered.append)
    assert sum(rendered) == len(views)
    assert (array.stat().st_mtime_ns, array.stat().st_ino) == (written.st_mtime_ns, written.st_ino)
    assert np.array_equal(first, again)


def test_the_same_pictures_in_another_folder_are_not_rendered_again(views: list[View], tmp_path: Path) -> None:
    array, rendered = tmp_path / "views.npy", []
    render_all(views, SMALL, array)
    (tmp_path / "copy").mkdir()
    copies = {view.path: shutil.copyfile(view.path, tmp_path / "copy" / view.path.name) for view in views}
    for copy in copies.values():
        os.utime(copy, ns=(1, 1))
    render_all([replace(view, path=copies[view.path]) for view in views], SMALL, array, on_progress=rendered.append)
    assert not rendered


@pytest.mark.parametrize("change", ["photo", "seed", "size", "fewer", "kind", "key lost", "array lost"])
def test_an_array_is_made_anew_after_any_change(views: list[View], tmp_path: Path, change: str) -> None:
    array, rendered = tmp_path / "views.npy", []
    render_all(views, SMALL, array)
    preprocess, seed = SMALL, 0
    if change == "photo":
        photo(views[0].path, picture(0.9, 9), "PNG")
    elif change == "seed":
        seed = 1
    elif change == "size":
        preprocess = Preprocess((48, 32))
    elif change == "fewer":
        views = views[:-1]
    elif change == "kind":
        views = [replace(views[0], kind="darker", strength="weak"), *views[1:]]
    else:
        array.with_suffix({"key lost": ".json", "array lost": ".npy"}[change]).unlink()
    made = render_all(views, preprocess, array, seed=seed, on_progress=rendered.append)
    assert sum(rendered) == len(views) == len(made)
    assert np.array_equal(made[0], render(views[0], preprocess, seed))


@pytest.mark.skipif(os.name == "nt", reason="a process is killed by other means here")
@pytest.mark.parametrize("before", ["nothing", "an older array"])
def test_a_killed_rendering_is_not_taken_for_a_whole_one(views: list[View], tmp_path: Path, before: str) -> None:
    array = tmp_path / "out" / "views.npy"
    if before != "nothing":
        render_all(views, SMALL, array, seed=1)
    killed = run_python(f"""
import os, signal
from pathlib import Path, PosixPath
from aesth.preprocess import Preprocess
from aesth.training.views import View, render_all
told = []
def kill(count):
    told.append(count)
    if len(told) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
render_all({views!r}, {SMALL!r}, Path({str(array)!r}), jobs=1, on_progress=kill)
""")
    assert killed.returncode == -9, killed.stderr
    rendered: list[int] = []
    made = render_all(views, SMALL, array, on_progress=rendered.append)
    assert sum(rendered) == len(views)
    assert all(np.array_equal(made[index], render(view, SMALL)) for index, view in enumerate(views))
    assert sorted(path.name for path in array.parent.iterdir()) == ["views.json", "views.npy"]


def test_an_array_is_not_taken_for_what_an_older_key_says(views: list[View], tmp_path: Path) -> None:
    """Stopped between the writing of the array and of its key."""
    array = tmp_path / "out" / "views.npy"
    old = np.array(render_all(views, SMALL, array, seed=1))
    (array.parent / "views.json.partial").mkdir()
    with pytest.raises(ConfigError):
        render_all(views, SMALL, array, seed=2)
    (array.parent / "views.json.partial").rmdir()
    assert np.array_equal(render_all(views, SMALL, array, seed=1), old)


def test_a_photo_that_cannot_be_read_is_named_and_nothing_half_is_left(views: list[View], tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8no")
    with pytest.raises(DecodeError) as raised:
        render_all([*views, View(broken)], SMALL, tmp_path / "out" / "views.npy")
    assert raised.value.path == broken
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_no_utf8_can_be_damaged(tmp_path: Path) -> None:
    path = photo(tmp_path / os.fsdecode(b"caf\xe9.png"), picture(0.5, 0), "PNG")
    assert render_all([View(path, "noise", "weak")], SMALL, tmp_path / "views.npy").shape == (1, 32, 48, 3)


def test_a_disk_that_is_too_small_is_told_before(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"takes 1000000000\.0 GB .* make room or give another folder"):
        require_space(tmp_path / "views.npy", 10**18)


def test_a_folder_that_cannot_be_made_is_told(views: list[View], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="give another"):
        render_all(views, SMALL, tmp_path / "file" / "views.npy")
