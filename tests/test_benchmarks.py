"""What becomes of the figures of the benchmarks: kept, told, drawn, compared; and what they are measured with."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

import bench
from aesth import registry
from aesth.encoder import OnnxEncoder
from measuring import compare, memory, report, results
from measuring.camera import as_camera, with_preview
from measuring.chart import draw
from measuring.enlarged import enlarged
from measuring.measure import percentile
from measuring.operations import operations
from measuring.previews import Comparison, agreement
from measuring.previews import compare as compare_previews
from measuring.results import Beside, Result, Run
from support.photos import encode, scene

PROJECT = Path(__file__).parents[1]

ENCODE = Result(
    name="test_encoder_speed.py::test_encode[8-int8-lite]",
    group="encoder",
    label="lite, int8, batch of 8",
    unit="frame",
    count=8,
    calls=20,
    seconds=0.030,
    p50=0.033,
    p95=0.041,
    p99=0.045,
    load="float product",
    load_seconds=0.015,
    notes={"limit": 0.02, "operations": 3_000_000_000},
)
DECODE = replace(
    ENCODE,
    name="test_decode_speed.py::test_decode[24 MP]",
    group="decode",
    label="decode, JPEG of 24 MP <odd & ends>",
    unit="photo",
    count=1,
    seconds=0.080,
    p50=0.085,
    load="compression",
    load_seconds=0.020,
    beside={"all pixels by Pillow": Beside(0.25, 0.31)},
    notes={},
)
PLAIN = replace(DECODE, name="plain", group="pipeline", label="the plain way", p50=1.5, beside={})
SAVED = Run("2026-01-02", {"processor": "an abacus", "cores": "10"}, (DECODE, ENCODE, PLAIN))


def slowed(run: Run, times: float, *, load: float = 1.0, only: str = "") -> Run:
    """``run`` with everything, or one benchmark, and the load beside it, taking so many times as long."""
    return replace(
        run,
        results=tuple(
            replace(one, seconds=one.seconds * times, p50=one.p50 * times, load_seconds=one.load_seconds * load)
            if only in one.name
            else one
            for one in run.results
        ),
    )


def regressed(before: Run, after: Run) -> list[str]:
    return [change.after.label for change in compare.changes(before, after) if change.regressed]


def test_a_run_is_kept_and_read_again(tmp_path: Path) -> None:
    results.save(SAVED, tmp_path / "results.json")
    assert results.load(tmp_path / "results.json") == SAVED


@pytest.mark.parametrize("content", ["[]", '{"format": 0}', "no json"])
def test_a_file_that_is_no_run_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(ValueError):
        results.load(tmp_path / "results.json")


def test_the_page_tells_the_machine_and_every_figure() -> None:
    page = report.page_of(SAVED)
    assert "| processor | an abacus |" in page
    assert page.index("## Decoding") < page.index("## Encoding") < page.index("## `aesth tag` as a whole")
    assert "| lite, int8, batch of 8 | 30.0 | 33.0 | 41.0 | 45.0 | 20 | 30.3 |" in page
    assert "0.31 x all pixels by Pillow" in page
    assert "1.50 x its 3.0 billion operations in a matrix product (150 billion a second)" in page


def test_the_chart_is_readable_on_light_and_dark_and_longer_bars_took_longer() -> None:
    chart = ElementTree.fromstring(draw(SAVED))
    svg = "{http://www.w3.org/2000/svg}"
    texts = {text.text for text in chart.iter(f"{svg}text")}
    assert {result.label for result in SAVED.results} <= texts
    assert {"33.0", "85.0", "1,500"} <= texts
    widths = [float(bar.attrib["width"]) for bar in chart.iter(f"{svg}rect") if bar.attrib["class"] != "ground"]
    assert widths[1] < widths[0] < widths[2], "decode, encode and the plain way are drawn in this order"
    assert [bar.attrib["class"] for bar in chart.iter(f"{svg}rect")] == ["ground", "ours", "ours", "other"]
    assert "prefers-color-scheme: dark" in str(chart.findtext(f"{svg}style"))


@given(times=st.floats(0.1, 10))
def test_a_slower_machine_is_no_regression(times: float) -> None:
    assert regressed(SAVED, slowed(SAVED, times, load=times)) == []


@pytest.mark.parametrize(("times", "slower"), [(0.5, []), (1.14, []), (1.16, [ENCODE.label])])
def test_what_takes_over_15_percent_longer_is_a_regression(times: float, slower: list[str]) -> None:
    after = slowed(SAVED, times, only="encoder")
    assert regressed(SAVED, after) == slower
    marked = [line for line in compare.table(compare.changes(SAVED, after)) if "slower" in line]
    assert len(marked) == len(slower)


def test_what_is_slower_by_chance_is_measured_again_and_nothing_else_is() -> None:
    asked: list[Sequence[str]] = []

    def measure_again(names: Sequence[str]) -> Run:
        asked.append(names)
        return slowed(SAVED, 1.5 if len(asked) == 1 else 1.0)

    after = compare.believed(SAVED, slowed(SAVED, 2.0, only="encoder"), measure_again)
    assert asked == [[ENCODE.name], [ENCODE.name]]
    assert after == SAVED


def test_what_is_slower_each_time_is_believed() -> None:
    slow = slowed(SAVED, 1.3, only="encoder")
    assert regressed(SAVED, compare.believed(SAVED, slow, lambda _: slow)) == [ENCODE.label]


def test_what_was_measured_in_another_way_is_told_and_not_compared() -> None:
    other = replace(SAVED, results=(replace(DECODE, count=2), ENCODE))
    assert [change.before for change in compare.changes(SAVED, other)] == [ENCODE]
    assert compare.missing(SAVED, other) == [DECODE.label, PLAIN.label]


def test_what_is_measured_anew_takes_its_place_in_the_saved_run() -> None:
    anew, more = replace(ENCODE, seconds=0.02), replace(PLAIN, name="more")
    run = SAVED.updated(replace(SAVED, date="2026-01-03", results=(anew, more)))
    assert run == replace(SAVED, date="2026-01-03", results=(DECODE, anew, PLAIN, more))


def test_comparing_needs_a_saved_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--compare", "--out", str(tmp_path)]) == 2
    assert "make one: make bench" in capsys.readouterr().err


def test_a_benchmark_is_run_and_told(tmp_path: Path) -> None:
    """The figures of so short a run say nothing; that they arrive does."""
    pytest.importorskip("pytest_benchmark")
    program, which = PROJECT / "benchmarks" / "bench.py", PROJECT / "benchmarks" / "test_decode_speed.py"
    command = [sys.executable, program, which, "--quick", "-k", "preprocess", "--out", tmp_path]
    # A worker of pytest-xdist would have pytest-benchmark measure nothing.
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
    done = subprocess.run(command, capture_output=True, text=True, env=alone, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    run = results.load(tmp_path / "results.json")
    assert {result.group for result in run.results} == {"preprocess"}
    assert all(0 < result.seconds <= result.p50 <= result.p95 <= result.p99 for result in run.results)
    assert run.results[0].label in (tmp_path / "RESULTS.md").read_text()


@given(values=st.lists(st.floats(0, 1), min_size=1), percent=st.sampled_from([50, 95, 99, 100]))
def test_percentiles_are_those_of_the_nearest_rank(values: list[float], percent: int) -> None:
    assert percentile(values, percent) == np.percentile(values, percent, method="inverted_cdf")


def test_operations_are_counted_for_one_photo(tmp_path: Path) -> None:
    """3 x 3 over 3 channels of 8 x 8, at stride 2 to 4; over each of these by itself; all of it to 5 numbers."""
    kernels = {"full": (4, 3, 3, 3), "single": (4, 1, 3, 3), "matrix": (64, 5)}
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["image", "full"], ["a"], strides=[2, 2], pads=[1, 1, 1, 1]),
            helper.make_node("Conv", ["a", "single"], ["b"], group=4, pads=[1, 1, 1, 1]),
            helper.make_node("Flatten", ["b"], ["c"]),
            helper.make_node("MatMul", ["c", "matrix"], ["embedding"]),
        ],
        "small",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, 8, 8])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", 5])],
        [numpy_helper.from_array(np.zeros(shape, np.float32), name) for name, shape in kernels.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), tmp_path / "small.onnx")
    assert operations(tmp_path / "small.onnx") == 2 * (4 * 16 * 27 + 4 * 16 * 9 + 64 * 5)


def test_the_preview_of_a_made_photo_lies_where_its_index_says() -> None:
    picture, preview = encode(scene(96, 128)), encode(scene(24, 32))
    with Image.open(BytesIO(with_preview(picture, preview))) as photo:
        assert (photo.format, photo.size) == ("MPO", (128, 96))
        photo.seek(1)
        assert np.array_equal(np.asarray(photo), np.asarray(Image.open(BytesIO(preview))))
        photo.seek(0)
        assert np.array_equal(np.asarray(photo), np.asarray(Image.open(BytesIO(picture))))


@pytest.mark.parametrize("shape", [(60, 90), (90, 60)])
def test_an_enlarged_picture_is_the_picture_with_detail_finer_than_its_own(shape: tuple[int, int]) -> None:
    colours = np.random.default_rng(0).integers(60, 190, (6, 6, 3), np.uint8)
    small = Image.fromarray(colours).resize(shape[::-1], Image.Resampling.BICUBIC)
    large = enlarged(small, 0, megapixels=1)
    assert sorted(large.size) == [816, 1224]
    assert (large.width > large.height) == (small.width > small.height)
    back = np.asarray(large.resize(small.size, Image.Resampling.BOX), np.float32)
    assert np.abs(back - np.asarray(small)).mean() < 3
    soft = np.asarray(small.resize(large.size, Image.Resampling.LANCZOS), np.float32)
    assert np.abs(np.diff(np.asarray(large, np.float32), axis=1)).mean() > 3 * np.abs(np.diff(soft, axis=1)).mean()


def test_what_previews_and_saving_once_more_add_is_told_of_photos_that_have_previews() -> None:
    def one(by_preview: float, resaved: float, *, stood_in: bool = True) -> Comparison:
        return Comparison(Path("a.jpg"), (50.0, by_preview), (0.4, 0.1), stood_in, resaved)

    found = agreement([one(51, 50.5), one(47, 50), one(50, 70, stood_in=False)])
    assert (found.photos, found.by_preview) == (3, 2)
    assert (found.average, found.most, found.bias, found.time) == (2, 3, -1, 0.25)
    assert (found.average_resaved, found.most_resaved) == (0.25, 0.5)
    assert found.of_95 == pytest.approx(2.9)
    assert "2 of 3 photos by previews: 2.00 points apart on average, 2.90 in 95 of 100, 3.00 at most" in str(found)


def test_a_photo_is_scored_by_itself_by_its_preview_and_saved_once_more(tmp_path: Path, brightness: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(as_camera(enlarged(Image.fromarray(scene(60, 90)), 0, megapixels=12)))
    (found,) = compare_previews([path], OnnxEncoder(registry.find(str(brightness))))
    assert found.by_preview
    assert found.scores[0] == pytest.approx(found.scores[1], abs=0.5)
    assert found.scores[0] == pytest.approx(found.resaved, abs=0.5)
    assert len({*found.scores, found.resaved}) == 3


TAKES_60_MB = "taken = bytes(range(256)) * (60 << 12); print(len(taken), flush=True); "


@pytest.mark.skipif(not memory.is_told(), reason="this system does not tell what processes share")
def test_memory_of_a_program_is_that_of_all_that_run_at_one_time() -> None:
    alone = memory.peak([sys.executable, "-c", TAKES_60_MB + "import time; time.sleep(0.5)"])
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
    together = memory.peak([sys.executable, "-c", TAKES_60_MB + child, TAKES_60_MB + "import time; time.sleep(0.5)"])
    assert 60 < alone / 2**20 < 90
    assert 120 < together / 2**20 < 180


@pytest.mark.skipif(not memory.is_told(), reason="this system does not tell what processes share")
def test_no_memory_is_told_of_a_program_that_failed() -> None:
    with pytest.raises(subprocess.CalledProcessError) as raised:
        memory.peak([sys.executable, "-c", "import sys; sys.exit('no photos')"])
    assert raised.value.stderr.strip() == b"no photos"
