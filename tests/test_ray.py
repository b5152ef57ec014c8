"""What Ray's workers do, without Ray: where photos are, their scores as tables, parts that hold each photo once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aesth.discover import find_photos
from aesth.errors import AesthError, ConfigError, MissingDependencyError, ProviderError
from aesth.ray import BatchScorer, find_locations, score_to_parquet
from aesth.ray.locations import is_url, text_of
from aesth.ray.parts import Basis, Known, Parts, part_of
from aesth.ray.plans import PART_SIZE, Plan, ahead, first_left, plans
from aesth.ray.workers import PartWriter, encoded, raise_problem
from aesth.registry import find
from aesth.scale import DEFAULT_CUT_POINTS
from aesth.scorer import Scorer
from support.cli import NON_UTF8, aesth_in_process, grey_photo, grey_raw
from support.ray import rows_in

pa = pytest.importorskip("pyarrow", reason="needs the extra `cluster`")
fsspec = pytest.importorskip("fsspec", reason="needs the extra `cluster`")


@pytest.fixture
def bucket() -> Iterator[Any]:
    """An object storage in memory, ``memory://``."""
    storage = fsspec.filesystem("memory")
    yield storage
    storage.store.clear()
    storage.pseudo_dirs[:] = [""]


@pytest.fixture
def scorer(brightness: Path) -> Iterator[BatchScorer]:
    made = BatchScorer(str(brightness))
    yield made
    made.close()


def writer_into(folder: Path | str, model: Path) -> PartWriter:
    return PartWriter(str(folder), Basis(find(str(model)).tag, DEFAULT_CUT_POINTS), {"model": str(model)})


def write(writer: PartWriter, locations: list[str], part: str | None = None) -> dict[str, Any]:
    return writer({"part": part or part_of(locations), "locations": encoded(locations)})


def done(scored: int, failed: int) -> dict[str, Any]:
    return {"scored": scored, "failed": failed, "problem": None}


# Where photos are


@pytest.mark.parametrize(
    "place", ["s3://bucket/a.jpg", "memory://a", "HTTPS://host/a", "zip://a.jpg::s3://bucket/b.zip"]
)
def test_urls_are_told_from_paths(place: str) -> None:
    assert is_url(place)


@pytest.mark.parametrize("place", ["a.jpg", "/a/b://c.jpg", "./s3://a.jpg", "C:\\a.jpg", "a:b.jpg", "..::x"])
def test_paths_are_told_from_urls(place: str) -> None:
    assert not is_url(place)


@pytest.mark.parametrize(
    "rules",
    [
        {},
        {"recursive": False},
        {"include": ["*.PNG"]},
        {"include": ["inner/*"]},
        {"exclude": ["b*", "inner"]},
        {"exclude": ["inner/deep/*"]},
    ],
    ids=str,
)
def test_the_same_photos_are_found_in_a_url_as_in_a_folder(
    tmp_path: Path, bucket: Any, rules: dict[str, object]
) -> None:
    for name in (
        "b.jpg", "a.jpg", "a.txt", ".hidden.jpg", "c.PNG", "inner/b.png", "inner/deep/x.cr2", ".hidden/x.jpg",
        "@eaDir/a.jpg", "My.lrdata/x.jpg", "inner10/x.jpg",
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
        bucket.pipe_file(f"/photos/{name}", b"x")
    local = [f"memory:///photos/{path.relative_to(tmp_path).as_posix()}" for path in find_photos([tmp_path], **rules)]  # type: ignore[arg-type]
    assert sorted(find_locations(["memory://photos"], **rules)) == sorted(local)  # type: ignore[arg-type]
    assert local


def test_paths_become_absolute_and_order_is_kept(tmp_path: Path, bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    grey_photo(tmp_path / "a.jpg")
    bucket.pipe_file("/b/b.jpg", b"x")
    places = ["gone.jpg", "memory://b", "."]
    expected = [str(tmp_path / "gone.jpg"), "memory:///b/b.jpg", str(tmp_path / "a.jpg")]
    assert list(find_locations(places)) == expected


def test_a_url_with_the_suffix_of_a_photo_is_taken_for_one_unseen() -> None:
    class Unreachable(fsspec.AbstractFileSystem):  # type: ignore[misc]
        def __init__(self, *_: object, **__: object) -> None:
            raise AssertionError("asked")

    fsspec.register_implementation("unreachable", Unreachable, clobber=True)
    urls = ["unreachable://host/a.jpg", "unreachable://host/b.CR3?version=2"]
    assert list(find_locations(urls)) == urls


def test_a_url_that_is_no_folder_is_a_photo_to_try(bucket: Any) -> None:
    bucket.pipe_file("/b/photo-without-suffix", b"x")
    assert list(find_locations(["memory://b/photo-without-suffix"])) == ["memory://b/photo-without-suffix"]


def test_a_date_cannot_be_asked_of_a_url(bucket: Any) -> None:
    bucket.pipe_file("/b/a.jpg", b"x")
    with pytest.raises(ConfigError, match="--files-from"):
        list(find_locations(["memory://b"], since=datetime(2020, 1, 1, tzinfo=UTC)))


def test_an_unknown_kind_of_storage_is_wrong_usage() -> None:
    with pytest.raises(ConfigError, match="no storage is known by abacus://"):
        list(find_locations(["abacus://a.jpg"]))


def test_a_kind_of_storage_whose_package_is_missing_is_told_with_it() -> None:
    fsspec.register_implementation("needy", "no_such_package.Storage", clobber=True, errtxt="install no_such_package")
    with pytest.raises(MissingDependencyError, match="install no_such_package"):
        list(find_locations(["needy://a.jpg"]))


def test_a_package_of_the_extra_that_is_missing_is_told(
    tmp_path: Path, brightness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray.data", None)
    monkeypatch.setitem(sys.modules, "ray", None)
    run = score_to_parquet([str(grey_photo(tmp_path / "a.jpg"))], str(tmp_path / "out"), model=str(brightness))
    with pytest.raises(MissingDependencyError, match=r"pip install 'aesth\[cluster\]'"):
        list(run)


# Scores as tables


def test_scores_of_any_storage_are_those_of_a_scorer(
    tmp_path: Path, brightness: Path, scorer: BatchScorer, bucket: Any
) -> None:
    photos = [grey_photo(tmp_path / f"{percent}.jpg", percent) for percent in (3, 50, 97)]
    (tmp_path / "bad.jpg").write_bytes(b"\xff\xd8\xff nothing")
    photos += [tmp_path / "bad.jpg", tmp_path / "gone.jpg"]
    for photo in photos[:-1]:
        bucket.pipe_file(f"/{photo.name}", photo.read_bytes())
    with Scorer(str(brightness)) as plain:
        expected = list(plain.score(photos))
    for locations in (list(map(str, photos)), [f"file://{p}" for p in photos], [f"memory://{p.name}" for p in photos]):
        results = list(scorer.score(locations))
        assert [location for location, _ in results] == locations
        for (_, scored), plainly in zip(results, expected, strict=True):
            assert (scored.score, scored.rating, scored.norm) == (plainly.score, plainly.rating, plainly.norm)
            assert np.array_equal(scored.embedding, plainly.embedding)  # type: ignore[arg-type]
            assert (scored.error and scored.error.message) == (plainly.error and plainly.error.message)


def test_fetched_photos_do_not_stay(scorer: BatchScorer, bucket: Any, tmp_path: Path) -> None:
    photo = grey_photo(tmp_path / "a.jpg").read_bytes()
    for index in range(100):
        bucket.pipe_file(f"/{index}.jpg", photo)
    folder = Path(scorer._fetcher._folder.name)
    most = 0
    for _, scored in scorer.score(f"memory://{index}.jpg" for index in range(100)):
        assert scored.error is None
        most = max(most, len(list(folder.iterdir())))
    assert 0 < most < 50
    assert list(folder.iterdir()) == []
    scorer.close()
    assert not folder.exists()


@pytest.mark.parametrize("is_arrow", [True, False])
def test_a_batch_comes_back_with_its_columns_and_the_scores(
    tmp_path: Path, scorer: BatchScorer, *, is_arrow: bool
) -> None:
    paths = [str(grey_photo(tmp_path / "light.jpg", 95)), str(tmp_path / "gone.jpg")]
    batch = {"id": np.array([7, 8]), "path": np.array(paths, object)}
    table = scorer(pa.table(batch) if is_arrow else batch)
    assert table.schema.remove_metadata().field("embedding").type == pa.list_(pa.float32(), 1000)
    assert [(field.name, str(field.type)) for field in table.schema][2:5] == [
        ("score", "double"), ("rating", "int8"), ("norm", "float"),
    ]  # fmt: skip
    light, gone = table.to_pylist()
    assert list(light) == ["id", "path", "score", "rating", "norm", "embedding", "error", "model"]
    assert (light["id"], light["path"], light["rating"], light["error"]) == (7, paths[0], 5, None)
    assert light["score"] == pytest.approx(95, abs=1)
    assert np.linalg.norm(light["embedding"]) == pytest.approx(light["norm"])
    assert light["model"] == gone["model"] == scorer.model
    assert [gone[name] for name in ("id", "path", "score", "rating", "norm", "embedding")] == [8, paths[1], *[None] * 4]
    assert gone["error"].startswith("no such file")


def test_a_batch_without_paths_is_refused(scorer: BatchScorer) -> None:
    with pytest.raises(ConfigError, match="a column 'path'"):
        scorer({"url": np.array(["a"], object)})


def test_a_raw_is_scored_by_the_picture_beside_it_as_elsewhere(tmp_path: Path, scorer: BatchScorer) -> None:
    raw = grey_raw(tmp_path / "a.dng", 10)
    grey_photo(tmp_path / "a.jpg", 90)
    ((_, scored),) = scorer.score([str(raw)])
    assert scored.score == pytest.approx(90, abs=1)


# Parts


def test_each_photo_is_in_its_part_once_however_often_it_is_done(tmp_path: Path, brightness: Path) -> None:
    photos = [str(grey_photo(tmp_path / f"{percent}.jpg", percent)) for percent in (10, 50, 90)]
    photos.append(str(tmp_path / NON_UTF8))
    grey_photo(Path(photos[-1]), 20)
    writer = writer_into(tmp_path / "out", brightness)
    writer._parts.prepare()
    assert write(writer, photos) == done(4, 0)
    (part,) = (tmp_path / "out").iterdir()
    before = part.stat()
    assert write(writer, photos) == done(4, 0)
    assert part.stat() == before, "nothing was left to do"
    rows = rows_in(tmp_path / "out")
    assert [row["path"] for row in rows] == [*photos[:3], f"{tmp_path}/caf\\xe9.jpg"]
    assert [round(row["score"]) for row in rows] == [10, 50, 90, 20]
    assert writer._parts.known() == Known({text_of(photo) for photo in photos}, {})
    writer.close()


@pytest.mark.parametrize("folder", ["scores.parquet", "memory://scores.parquet"])
def test_photos_that_failed_are_tried_again_in_their_part(
    tmp_path: Path, brightness: Path, bucket: Any, folder: str
) -> None:
    out = folder if is_url(folder) else str(tmp_path / folder)
    photos = [str(grey_photo(tmp_path / "a.jpg", 10)), str(tmp_path / "late.jpg"), str(tmp_path / "never.jpg")]
    writer = writer_into(out, brightness)
    writer._parts.prepare()
    assert write(writer, photos) == done(1, 2)
    known = writer._parts.known()
    part = part_of(photos)
    assert known == Known({photos[0]}, {photos[1]: part, photos[2]: part})
    grey_photo(Path(photos[1]), 90)
    (plan,) = plans(photos, known, 2)
    assert plan == Plan([(part, photos[1:])], found=3, there=1, is_last=True)
    assert write(writer, list(plan.parts[0][1]), part) == done(1, 1)
    assert Counter(row["path"] for row in rows_in(out)) == Counter(photos)
    assert writer._parts.known() == Known(set(photos[:2]), {photos[2]: part})
    writer.close()


def test_what_killed_workers_left_is_removed_and_nothing_else(tmp_path: Path, brightness: Path) -> None:
    writer = writer_into(tmp_path, brightness)
    (tmp_path / ".part-0.parquet.1234").write_bytes(b"half")
    (tmp_path / ".part-0.parquet.begun").write_bytes(b"{}")
    (tmp_path / "notes.txt").write_bytes(b"mine")
    writer._parts.prepare()
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    assert writer._parts.known() == Known()
    writer.close()


def test_scores_of_another_model_or_setting_are_not_mixed_in(tmp_path: Path, brightness: Path) -> None:
    photo, out = str(grey_photo(tmp_path / "a.jpg")), tmp_path / "out"
    writer = writer_into(out, brightness)
    writer._parts.prepare()
    write(writer, [photo])
    writer.close()
    other = [Basis("other 0", DEFAULT_CUT_POINTS), Basis(writer._parts.basis.model, (1, 2, 3, 4))]
    for basis in other:
        with pytest.raises(ConfigError, match="name another folder"):
            Parts(str(out), basis).known()
    stranger = PartWriter(str(out), other[0], {"model": str(brightness)})
    with pytest.raises(ConfigError, match="install the same aesth on every machine"):
        raise_problem(write(stranger, [photo])["problem"])
    stranger.close()


def test_what_keeps_a_worker_from_its_work_is_raised_where_the_run_was_started(
    tmp_path: Path, brightness: Path
) -> None:
    photo, basis = str(grey_photo(tmp_path / "a.jpg")), Basis(find(str(brightness)).tag, DEFAULT_CUT_POINTS)
    lacking = PartWriter(str(tmp_path), basis, {"model": str(brightness), "providers": ["tensorrt"]})
    with pytest.raises(ProviderError, match="provider 'tensorrt' was asked for but is not available"):
        raise_problem(write(lacking, [photo])["problem"])
    homeless = writer_into(tmp_path / "gone", brightness)
    with pytest.raises(AesthError, match="gone cannot be written to"):
        raise_problem(write(homeless, [photo])["problem"])
    homeless.close()


def test_a_file_in_the_place_of_the_folder_and_a_damaged_part_are_told(tmp_path: Path) -> None:
    file = tmp_path / "scores.parquet"
    file.write_bytes(b"x")
    basis = Basis("m", DEFAULT_CUT_POINTS)
    with pytest.raises(ConfigError, match="is a file; scores go to a folder"):
        Parts(str(file), basis).prepare()
    with pytest.raises(ConfigError, match="cannot be written to"):
        Parts(str(file / "below"), basis).prepare()
    (tmp_path / "part-1.parquet").write_bytes(b"x")
    with pytest.raises(AesthError, match=r"part-1\.parquet cannot be read"):
        Parts(str(tmp_path), basis).known()


def test_a_photo_that_kills_its_worker_again_and_again_gets_an_error(tmp_path: Path, brightness: Path) -> None:
    """A program without threads is forked into workers, each of which scores the same part, until one lives."""
    out = tmp_path / "out"
    out.mkdir()
    photos = [str(grey_photo(tmp_path / f"{percent}.jpg", percent)) for percent in (10, 50)]
    locations = [photos[0], "deadly://a.jpg", photos[1]]
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    command = [sys.executable, "-m", "support.ray", str(brightness), str(out), *locations]
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
    environment = {**os.environ, "PYTHONPATH": path, "TMPDIR": str(scratch)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("4 workers\n", "")
    assert not list(scratch.iterdir()), "what was fetched is gone, also that of the killed"
    rows = {row["path"]: row for row in rows_in(out)}
    assert [rows[location]["error"] for location in locations] == [
        None,
        "3 workers died while they read this photo",
        None,
    ]
    assert len(rows_in(out)) == 3
    assert len(list(out.iterdir())) == 1


# Plans


@given(
    st.lists(st.integers(0, 60), max_size=80),
    st.sets(st.integers(0, 60)),
    st.sets(st.integers(0, 60)),
    st.integers(1, 9),
)
def test_every_photo_without_a_score_is_in_one_part_once(
    wanted: list[int], done: set[int], failed: set[int], workers: int
) -> None:
    known = Known({f"/{i}" for i in done - failed}, {f"/{i}": f"part-{i % 3}" for i in failed})
    made = list(plans((f"/{i}" for i in wanted), known, workers))
    parts = [part for plan in made for part in plan.parts]
    assert len({name for name, _ in parts}) == len(parts)
    planned = [location for _, locations in parts for location in locations]
    assert sorted(planned) == sorted({f"/{i}" for i in wanted} - known.done)
    for name, locations in parts:
        assert all(known.failed.get(location, name) == name for location in locations)
    assert sum(plan.found - plan.there for plan in made) == len(planned)
    assert [plan.is_last for plan in made] == [False] * (len(made) - 1) + [True]


def test_long_lists_are_planned_a_stretch_at_a_time_and_no_further_than_one_ahead() -> None:
    taken = 0

    def source() -> Iterator[str]:
        nonlocal taken
        for taken in range(1, 100_001):
            yield f"/{taken}"

    begun = ahead(plans(source(), Known(), 1))
    first = next(begun)
    assert {len(locations) for _, locations in first.parts} == {PART_SIZE}
    second = next(begun)
    assert taken <= 3 * len(first.parts) * PART_SIZE < 100_000
    everything = [first, second, *begun]
    assert sum(len(locations) for plan in everything for _, locations in plan.parts) == 100_000


def test_a_list_that_cannot_be_read_further_is_told_where_the_next_plan_is_awaited() -> None:
    def source() -> Iterator[str]:
        yield from (f"/{index}" for index in range(40_000))
        raise ConfigError("the list ends here")

    begun = ahead(plans(source(), Known(), 1))
    next(begun)
    with pytest.raises(ConfigError, match="the list ends here"):
        list(begun)


def test_where_nothing_is_left_ray_is_not_asked(tmp_path: Path, brightness: Path) -> None:
    photos = [str(grey_photo(tmp_path / "a.jpg")), str(grey_photo(tmp_path / "b.jpg"))]
    writer = writer_into(tmp_path / "out", brightness)
    writer._parts.prepare()
    write(writer, photos)
    writer.close()
    (advance,) = score_to_parquet(iter(photos), str(tmp_path / "out"), model=str(brightness))
    assert (advance.found, advance.there, advance.scored) == (2, 2, 0)
    assert first_left(iter([*photos, "/c.jpg", "/d.jpg"]), Known(set(photos))) == (2, "/c.jpg")


# The command


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--engine", "ray", "."], b"--engine ray needs --out"),
        (["--engine", "ray", "--out", "o"], b"name photos or folders"),
        (["--engine", "ray", "--out", "o", "--format", "csv", "."], b"--format is not for --engine ray"),
        (["--engine", "ray", "--out", "o", "--relative", "."], b"--relative needs all scores at once"),
        (["--engine", "ray", "--out", "o", "--model", "no-such-model", "."], b"unknown model 'no-such-model'"),
        (["--out", "o", "--gpus", "1", "."], b"--out, --gpus goes with --engine ray"),
        (["s3://bucket/a.jpg"], b"s3://bucket/a.jpg is a URL, which --engine ray can score"),
    ],
)
def test_wrong_usage_is_told(tmp_path: Path, arguments: list[str], message: bytes) -> None:
    done = aesth_in_process("score", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert message in done.stderr


def test_the_command_has_nothing_to_do_where_all_is_done(tmp_path: Path, brightness: Path) -> None:
    out = tmp_path / "out"
    writer = writer_into(out, brightness)
    writer._parts.prepare()
    photos = [str(grey_photo(tmp_path / "a.jpg")), str(grey_photo(tmp_path / "b.jpg"))]
    write(writer, photos)
    writer.close()
    (tmp_path / "list").write_text(f"{photos[1]}\n")
    command = ["score", "--engine", "ray", "--model", brightness, "--out", out, "--files-from", tmp_path / "list"]
    done = aesth_in_process(*command, tmp_path)
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.startswith(b"2 photos: 0 scored, 0 failed, 2 scored before in ")
