"""The histogram of popularity (Fig. 4)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from aesth.errors import CatalogueError, ConfigError
from aesth.training.histogram import plot_popularity, popularity_report
from aesth.training.popularity import popularity


@pytest.fixture
def listing(tmp_path: Path) -> Path:
    generator = np.random.default_rng(0)
    views = np.exp(generator.uniform(2, 14, 500)).astype(int)
    faves = np.exp(generator.uniform(0, 1, 500) * np.log(views)).astype(int)
    path = tmp_path / "list.csv"
    path.write_text(
        "".join(f"http://example.org/{i};{f};{v}\n" for i, (f, v) in enumerate(zip(faves, views, strict=True)))
    )
    return path


def counts(listing: Path) -> np.ndarray:
    return np.array([line.split(";")[1:] for line in listing.read_text().splitlines()], int)


def test_the_numbers_are_those_of_the_scores(listing: Path) -> None:
    scores = popularity(*counts(listing).T)
    report = popularity_report(listing)
    assert report.pictures == 500
    assert report.mean == pytest.approx(scores.mean(), abs=1e-4)
    assert report.deviation == pytest.approx(scores.std(), abs=1e-4)
    assert report.distance_from_uniform == pytest.approx(stats.kstest(scores, "uniform").statistic, abs=1e-4)
    inside = [np.sum((scores >= one.begin) & (scores < one.end)) for one in report.histogram[:-1]]
    assert [one.pictures for one in report.histogram[:-1]] == inside
    assert sum(one.pictures for one in report.histogram) == 500


def test_the_plot_shows_a_bar_for_each_bin(listing: Path, tmp_path: Path) -> None:
    plot_popularity(popularity_report(listing), tmp_path / "plots" / "fig4.png")
    image = np.asarray(Image.open(tmp_path / "plots" / "fig4.png").convert("RGB")).astype(int)
    blue = (np.abs(image - (0x44, 0x77, 0xAA)) < 8).all(axis=2)
    assert blue.mean() > 0.2
    plot_popularity(popularity_report(listing), tmp_path / "fig4.SVG")
    assert (tmp_path / "fig4.SVG").read_text().startswith("<?xml")


def test_a_format_that_there_is_not_is_told(listing: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no plot can be drawn as '\.doc'"):
        plot_popularity(popularity_report(listing), tmp_path / "fig4.doc")
    assert not (tmp_path / "fig4.doc").exists()


def test_a_list_without_popularity_is_told(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("a;1;1\nb;0;0\n")
    with pytest.raises(CatalogueError, match="no line has a popularity"):
        popularity_report(tmp_path / "list.csv")
