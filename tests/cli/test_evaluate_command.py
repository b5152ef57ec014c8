"""`aesth train evaluate ... | saliency`, in this process: torch takes seconds to load."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

from aesth.cli.app import app
from aesth.training.figures import merged_figures
from aesth.training.networks import AestheticEncoder
from aesth.training.recipe import read_recipe
from support.ava import make_ava
from support.cli import grey_photo
from support.training import RECIPE_FILE, make_data


def train(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["train", *map(str, arguments)])


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "tiny.toml"
    path.write_text(RECIPE_FILE)
    return path


def test_given_a_recipe_folds_are_measured_whatever_comes_first(config: Path, tmp_path: Path) -> None:
    data = make_data(tmp_path / "data")
    one = train("evaluate", "--fold", "3", config, "--data", data, "--out", tmp_path / "out")
    assert one.exit_code == 0, one.stderr
    other = train("evaluate", "folds", config, "--data", data, "--out", tmp_path / "out", "--fold", "0")
    assert other.exit_code == 0, other.stderr
    assert list(json.loads(one.stdout)["folds"]) == ["3"]
    assert list(json.loads(other.stdout)["folds"]) == ["0", "3"]


def test_its_help_names_what_can_be_measured() -> None:
    for option in ("-h", "--help"):
        done = train("evaluate", option)
        assert done.exit_code == 0
        for name in ("folds", "baselines", "card", "ava", "study", "fairness"):
            assert name in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [(), ("none.toml",), ("ava",), ("study", "none.csv"), ("fairness",), ("baselines",), ("card",)],
    ids=str,
)
def test_wrong_usage_exits_with_2(arguments: tuple[str, ...]) -> None:
    done = train("evaluate", *arguments)
    assert done.exit_code == 2
    assert "Usage" in done.output


def test_baselines_and_the_card_of_a_run(config: Path, tmp_path: Path) -> None:
    data, out = make_data(tmp_path / "data"), tmp_path / "out"
    done = train("evaluate", "baselines", config, "--data", data, "--out", out, "--fold", "3")
    assert done.exit_code == 0, done.stderr
    assert [list(one["folds"]) for one in json.loads(done.stdout)["baselines"]] == [["3"], ["3"]]

    missing = train("evaluate", "card", out)
    assert (missing.exit_code, missing.stdout) == (2, "")
    folds = json.loads(done.stdout)["baselines"][0]["folds"]
    figures = merged_figures(out / "figures.json", read_recipe(config), "study", folds)
    (out / "figures.json").write_text(json.dumps(figures))
    printed = train("evaluate", "card", out)
    assert printed.exit_code == 0, printed.stderr
    assert f"| 3 | {folds['3']['pictures']} | {folds['3']['srcc']:.3f} |" in printed.stdout
    assert "| mobilenet_v2 | linear, labels and damage pairs |" in printed.stdout


def test_ava(config: Path, tmp_path: Path) -> None:
    ava = make_ava(tmp_path / "ava", train=8, test=4)
    options = ("--labels", ava / "AVA.txt", "--images", ava / "images", "--recipe", config, "--epochs", "1")
    done = train("evaluate", "ava", *options, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    figures = json.loads(done.stdout)
    assert {"accuracy", "srcc", "plcc", "missing"} <= figures.keys()
    assert figures["pictures"] == 4
    assert "AVA: fine-tuning" in done.stderr

    with (ava / "AVA.txt").open("a") as file:
        file.write("13 no number\n")
    wrong = train("evaluate", "ava", *options, "--out", tmp_path / "out")
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith(f"aesth: {ava / 'AVA.txt'}: line 13: expected 15 whole numbers")


def test_a_study_as_table_as_json_and_as_plot(brightness: Path, tmp_path: Path) -> None:
    for name, percent in (("a.jpg", 20), ("b.jpg", 70)):
        grey_photo(tmp_path / name, percent)
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("left,right,votes_left,votes_right\na.jpg,b.jpg,1,4\nb.jpg,a.jpg,4,1\n")
    table = train("evaluate", "study", pairs, "--model", brightness, "--plot", tmp_path / "plot.png")
    assert table.exit_code == 0, table.stderr
    header, first, *_ = table.stdout.splitlines()
    assert header.split()[:4] == ["Distance", "Pairs", "Votes", "Mean"]
    assert first.split()[:5] == [">", "0.1", "2", "10", "0.8"]
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")

    options = ("--distance", "0.3", "--distance", "0.9", "--format", "json")
    rows = json.loads(train("evaluate", "study", pairs, "--model", brightness, *options).stdout)
    assert [(row["distance"], row["pairs"], row["mean"]) for row in rows] == [(0.3, 2, 0.8), (0.9, 0, None)]


def test_fairness_of_a_model(brightness: Path, tmp_path: Path) -> None:
    data = make_data(tmp_path / "data")
    done = train("evaluate", "fairness", "--data", data, "--model", brightness)
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["black_and_white"]["photos"] == 2


def test_a_recipe_and_a_model_are_not_measured_at_once(config: Path, brightness: Path, tmp_path: Path) -> None:
    done = train("evaluate", "fairness", config, "--data", tmp_path, "--model", brightness)
    assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1)


def test_saliency(config: Path, tmp_path: Path) -> None:
    torch.save(AestheticEncoder(read_recipe(config).encoder).state_dict(), tmp_path / "encoder.pt")
    picture = grey_photo(tmp_path / "photo.jpg")
    done = train("saliency", config, picture, "--weights", tmp_path / "encoder.pt", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    (one,) = json.loads(done.stdout)
    assert one["overlay"] == str(tmp_path / "out" / "photo.png")
    assert Path(one["overlay"]).read_bytes().startswith(b"\x89PNG")
