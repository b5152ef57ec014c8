"""Several processes train what one would: on the CPU by gloo, by torchrun and by its environment; and after a kill."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor

from aesth.errors import ProviderError
from aesth.training import distributed
from aesth.training.__main__ import main
from aesth.training.checkpoint import Checkpoint
from aesth.training.distributed import World, joined, process_device
from aesth.training.logs import read_log
from aesth.training.networks import AestheticEncoder
from aesth.training.run import run
from aesth.training.train import Step
from support.catalogues import make_pairs, make_scores
from support.processes import KILLED_AT, TRAININGS, free_port
from support.processes import run as train_alone
from support.training import RECIPE_FILE, recipe, same_weights

STREAMED = RECIPE_FILE + '[loader]\nviews = "streamed"\nworkers = 1\n'


def weights(path: Path) -> Mapping[str, Tensor]:
    return torch.load(path, weights_only=True)


def furthest(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> float:
    assert one.keys() == other.keys()
    return max(float((one[name] - other[name]).abs().max()) for name in one)


@dataclass(frozen=True)
class ByTwo:
    """What two processes of torchrun made: by the command, of a recipe and catalogues, and of `TRAININGS`.

    Attributes:
        folder: with what each process made of each of `TRAININGS`, and what those left that were killed.
        command: what the command said.
        asked: recipe and catalogues of the command.
        out: the folder of its run.
    """

    folder: Path
    command: subprocess.CompletedProcess[str]
    asked: tuple[Path, list[Path]]
    out: Path


@pytest.fixture(scope="module")
def by_two(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> ByTwo:
    if not hasattr(os, "fork"):
        pytest.skip("processes are made by other means here")
    folder = tmp_path_factory.mktemp("two")
    config, out = folder / "tiny.toml", folder / "out"
    config.write_text(STREAMED)
    catalogues = [make_scores(folder / "scores"), make_pairs(folder / "pairs")]
    listed = [argument for listing in catalogues for argument in ("--catalogue", listing)]
    command = (config, "--data", tiny_data, "--out", out, *listed)
    result = subprocess.run(
        [sys.executable, "-m", "support.processes", folder, str(free_port()), *command],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return ByTwo(folder, result, (config, catalogues), out)


@pytest.mark.parametrize("name", [name for name in TRAININGS if name.startswith("gradient")])
def test_the_gradients_of_two_processes_are_those_of_one(by_two: ByTwo, tmp_path: Path, name: str) -> None:
    how = TRAININGS[name]
    train_alone(how, tmp_path)
    torch.manual_seed(how.seed)
    before = AestheticEncoder(how.encoder).state_dict()
    after, alone = weights(by_two.folder / name / "weights-0.pt"), weights(tmp_path / "weights-0.pt")
    gradients = {key: before[key] - alone[key] for key in before}
    assert sum(bool(gradient.any()) for gradient in gradients.values()) == 9
    for key, gradient in gradients.items():
        off = (before[key] - after[key] - gradient).abs().max()
        assert off <= 2e-4 * gradient.abs().max(), key


@pytest.mark.parametrize(("name", "rounding"), [("both stages", 2e-4), ("bfloat16", 1e-4)])
def test_the_weights_of_two_processes_are_those_of_one(
    by_two: ByTwo, tmp_path: Path, name: str, rounding: float
) -> None:
    how = TRAININGS[name]
    train_alone(how, tmp_path)
    torch.manual_seed(how.seed)
    before, alone = AestheticEncoder(how.encoder).state_dict(), weights(tmp_path / "weights-0.pt")
    assert furthest(weights(by_two.folder / name / "weights-0.pt"), alone) < rounding
    assert furthest(before, alone) > 10 * rounding
    rates = [[step.rate for step in read_log(folder / "log.csv")] for folder in (tmp_path, by_two.folder / name)]
    assert rates[0] == rates[1]


@pytest.mark.parametrize("name", list(TRAININGS))
def test_all_processes_end_at_the_same_weights(by_two: ByTwo, name: str) -> None:
    assert furthest(weights(by_two.folder / name / "weights-0.pt"), weights(by_two.folder / name / "weights-1.pt")) == 0


def test_every_step_is_logged_once(by_two: ByTwo) -> None:
    stages = [(step.stage, step.step) for step in read_log(by_two.folder / "both stages" / "log.csv")]
    assert stages == [("warm_up", n) for n in range(1, 7)] + [("fine_tune", n) for n in range(1, 9)]
    assert len(list((by_two.folder / "both stages" / "events").iterdir())) == 2, (
        "one file a stage, of the leading process"
    )


def test_torchrun_trains_what_one_process_does_and_one_goes_on_from_there(
    by_two: ByTwo, tiny_data: Path, tmp_path: Path
) -> None:
    """By the command line, streamed, of two catalogues; the checkpoint of two processes is that of one."""
    (config, catalogues), trained = by_two.asked, by_two.out / "all" / "encoder.pt"
    assert by_two.command.stdout == f"{trained}\n"
    assert by_two.command.stderr.count("fine_tune") == 1
    assert " compared pairs" in by_two.command.stderr
    one = run(config=config, data=tiny_data, out=tmp_path / "one", catalogues=catalogues)
    assert furthest(weights(one), weights(trained)) < 1e-5
    again = run(config=config, data=tiny_data, out=by_two.out, catalogues=catalogues)
    assert len(read_log(again.parent / "log.csv")) == 5
    assert not list(by_two.out.rglob("*.partial"))


@pytest.mark.parametrize("killed_at", KILLED_AT)
def test_a_killed_process_is_resumed_by_another_to_the_same_weights(
    by_two: ByTwo, tmp_path: Path, killed_at: int
) -> None:
    killed, whole = by_two.folder / str(killed_at), tmp_path / "whole"
    train_alone(recipe(), whole)
    after: list[Step] = []
    train_alone(recipe(), killed, after.append)
    assert len(after) == 10 - killed_at // 2 * 2
    assert same_weights(weights(killed / "weights-0.pt"), weights(whole / "weights-0.pt"))


def test_alone_the_command_is_that_of_one_process(
    tiny_data: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    config = tmp_path / "tiny.toml"
    config.write_text(RECIPE_FILE)
    assert main([str(config), "--data", str(tiny_data), "--out", str(tmp_path / "out"), "--fold", "3"]) == 0
    assert capfdbinary.readouterr().out == os.fsencode(tmp_path / "out" / "fold-3" / "encoder.pt") + b"\n"
    assert Checkpoint(tmp_path / "out" / "fold-3" / "checkpoint.pt", "").path.is_file()


def test_what_is_wrong_is_told_in_one_line(
    tiny_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = [str(tmp_path / "none.toml"), "--data", str(tiny_data)]
    assert main(arguments) == 2
    assert (
        capsys.readouterr().err
        == f"aesth: {tmp_path / 'none.toml'}: cannot read this recipe (No such file or directory)\n"
    )
    if not torch.cuda.is_available():
        assert main([*arguments, "--device", "cuda"]) == 3
        assert "no CUDA device" in capsys.readouterr().err


def test_each_process_has_a_cuda_device_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert [process_device(asked) for asked in ("auto", "cuda", "cpu")] == ["cuda", "cuda", "cpu"]
    monkeypatch.setenv("LOCAL_RANK", "3")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert [process_device(asked) for asked in ("auto", "cuda", "cpu")] == ["cuda:3", "cuda:3", "cpu"]
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "5")
    with pytest.raises(ProviderError, match="5 processes and 4 CUDA devices"):
        process_device("auto")


def test_shares_are_parts_of_the_whole() -> None:
    for size in range(1, 6):
        shares = [list(range(13))[World(rank, size).share] for rank in range(size)]
        assert sorted(itertools.chain(*shares)) == list(range(13))
        assert max(map(len, shares)) - min(map(len, shares)) <= 1
        assert list(range(13))[World(size - 1, size).unshared().share] == list(range(13))


def test_without_torchrun_a_process_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    with joined("cpu") as world:
        assert (world, world.leads) == (World(), True)
        world.wait()
        points = torch.ones(2, 3, requires_grad=True)
        assert world.gather(points, 2) is points
        assert world.agreed(0.5) == 0.5
    assert distributed.World.current() == World()
