"""Videos of high dynamic range, as an ordinary screen would show them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("av")

import av

from aesth.decode.video import Video
from aesth.decode.video.tones import (
    PAPER,
    PEAK,
    Transfer,
    compress,
    light_of_pq,
    pq_of,
    scene_light_of_hlg,
    to_srgb,
)

TRANSFERS = {Transfer.PQ: 16, Transfer.HLG: 18}
BT2020 = 9


def codes_of(nits: float, transfer: Transfer) -> int:
    """What a grey of so many nits on a screen of `PEAK` nits is stored as, of 65535."""
    if transfer is Transfer.PQ:
        return round(65535 * float(pq_of(nits)))
    scene = (nits / PEAK) ** (1 / 1.2)
    stored = np.linspace(0, 1, 65536)
    return int(np.searchsorted(scene_light_of_hlg(stored), scene))


def shown(nits: float, transfer: Transfer) -> int:
    """The grey of 255 that light of so many nits becomes."""
    pixel = to_srgb(np.full((1, 1, 3), codes_of(nits, transfer), np.uint16), transfer)[0, 0]
    assert np.ptp(pixel) <= 1, "what is grey stays grey"
    return int(pixel[0])


def test_light_is_what_the_standards_say() -> None:
    """Values of ITU-R BT.2408, tables 1 and 2, and of SMPTE ST 2084."""
    np.testing.assert_allclose(pq_of([0.0, 100, 203, 1000, 10000]), [0, 0.508, 0.581, 0.752, 1], atol=5e-4)
    assert scene_light_of_hlg(np.array(0.5)) == pytest.approx(1 / 12, abs=1e-4)
    assert scene_light_of_hlg(np.array(1.0)) == pytest.approx(1, abs=1e-4)
    assert codes_of(PAPER, Transfer.HLG) / 65535 == pytest.approx(0.75, abs=0.005)


@given(st.floats(0, 10000))
def test_pq_there_and_back(nits: float) -> None:
    assert float(light_of_pq(pq_of(nits))) == pytest.approx(nits, rel=1e-6, abs=1e-6)


@given(st.lists(st.floats(0, PEAK), min_size=2, max_size=20))
def test_brighter_light_stays_brighter_and_all_of_it_fits(nits: list[float]) -> None:
    light = np.sort(np.array(nits))
    compressed = compress(light)
    assert np.all(np.diff(compressed) >= -1e-4)
    assert compressed.max() <= PAPER * 1.001
    assert np.all(compressed <= light * 1.001 + 1e-3)
    dark = light < 50
    np.testing.assert_allclose(compressed[dark], light[dark], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("transfer", Transfer)
def test_dark_is_dark_paper_is_bright_and_the_brightest_is_white(transfer: Transfer) -> None:
    black, dark, middle, paper, brightest = (shown(nits, transfer) for nits in (0, 5, 26, PAPER, PEAK))
    assert black == 0
    assert 0 < dark < middle < paper < brightest
    assert 85 < middle < 115, "a grey card"
    assert 190 < paper < 240
    assert brightest >= 253


@pytest.mark.parametrize("transfer", Transfer)
def test_hues_stay(transfer: Transfer) -> None:
    """A red of BT.709, stored by the primaries of BT.2020, is that red, however bright it is."""
    to_bt2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
    stored = np.linspace(0, 1, 65536)
    for nits in (20, 400):
        display = to_bt2020 @ np.array([1.0, 0.2, 0.1]) * nits
        if transfer is Transfer.PQ:
            codes = np.rint(65535 * pq_of(display))
        else:
            luminance = display @ [0.2627, 0.6780, 0.0593]
            scene = display / PEAK * (luminance / PEAK) ** (1 / 1.2 - 1)
            codes = np.searchsorted(scene_light_of_hlg(stored), scene)
        red, green, blue = to_srgb(codes.astype(np.uint16)[None, None], transfer)[0, 0] / 255
        linear = np.array([((value + 0.055) / 1.055) ** 2.4 for value in (red, green, blue)])
        np.testing.assert_allclose(linear / linear[0], [1, 0.2, 0.1], atol=0.02)


@pytest.mark.parametrize("transfer", [None, *Transfer])
def test_a_video_tells_how_its_numbers_mean_light(tmp_path: Path, transfer: Transfer | None) -> None:
    """The same numbers: 203 nits in PQ, 77 in HLG, 148 of 255 in an ordinary video."""
    level = round(64 + 876 * float(pq_of(PAPER)))
    frame = av.VideoFrame(64, 48, "yuv420p10le")
    for plane, value in zip(frame.planes, (level, 512, 512), strict=True):
        plane.update(np.full((plane.height, plane.line_size // 2), value, np.uint16).tobytes())
    film = tmp_path / "film.mp4"
    with av.open(str(film), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "4", "preset": "ultrafast"})
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p10le"
        if transfer is not None:
            context = stream.codec_context
            context.color_trc, context.color_primaries, context.colorspace = TRANSFERS[transfer], BT2020, BT2020
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with Video(film) as video:
        whole, small = next(video.frames()).image, next(video.frames(size=(16, 16))).image
        luma = next(video.stills(size=(16, 16))).luma
    expected = {None: 148, Transfer.PQ: shown(PAPER, Transfer.PQ), Transfer.HLG: shown(76.6, Transfer.HLG)}[transfer]
    assert whole.shape == (48, 64, 3)
    assert luma.shape == (16, 16)
    for image in (whole, small, luma):
        assert image.mean() == pytest.approx(expected, abs=6)
