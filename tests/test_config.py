"""Settings: defaults, a TOML file over them, flags over both."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aesth import config
from aesth.config import Format, Settings
from aesth.errors import ConfigError
from aesth.metadata import Colour, Policy, SidecarStyle

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
counts = st.none() | st.integers(1, 10**9)
cut_points = st.lists(st.floats(0, 100), min_size=4, max_size=4, unique=True).map(lambda points: tuple(sorted(points)))
any_settings = st.builds(
    Settings,
    model=texts,
    provider=st.lists(texts).map(tuple),
    threads=counts,
    jobs=counts,
    taste=st.just("") | texts,
    format=st.sampled_from(Format),
    quiet=st.booleans(),
    include=st.lists(texts).map(tuple),
    exclude=st.lists(texts).map(tuple),
    recursive=st.booleans(),
    policy=st.sampled_from(Policy),
    sidecar=st.booleans(),
    touch=st.booleans(),
    relative=st.booleans(),
    rescore=st.booleans(),
    reject_below=st.none() | st.floats(0, 100),
    sidecar_style=st.sampled_from(SidecarStyle),
    label=st.none() | st.sampled_from(Colour),
    keyword=st.booleans(),
    pick=st.booleans(),
    cut_points=st.none() | cut_points,
    max_pixels=counts,
    previews=st.booleans(),
)


@given(any_settings)
def test_what_is_saved_is_what_is_loaded(settings: Settings) -> None:
    assert config.parse(config.dump(settings)) == settings


def test_every_setting_is_a_key_and_every_commented_default_is_valid_toml() -> None:
    text = config.dump(Settings())
    assert config.parse(text) == Settings()
    table = tomllib.loads(re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE))
    assert list(table) == [field.name for field in fields(Settings)]
    assert table["cut_points"] == [10, 35, 70, 93]


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert config.load(tmp_path / "none.toml") == Settings()


def test_flags_that_were_given_win_and_others_do_not() -> None:
    settings = config.parse('model = "lite-int8"\nthreads = 2\nrecursive = false')
    flags = {"model": "base-int8", "threads": None, "recursive": True, "since": "not a setting"}
    assert settings.override(flags) == Settings(model="base-int8", threads=2, recursive=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('modle = "x"', "unknown key 'modle'; did you mean 'model'?"),
        ("zzz = 1", "unknown key 'zzz'; known: model, provider"),
        ("threads = 0", "'threads' must be a whole number of at least 1, not 0"),
        ("threads = true", "'threads' must be a whole number"),
        ('threads = "four"', "'threads' must be a whole number of at least 1, not 'four'"),
        ('quiet = "yes"', "'quiet' must be true or false"),
        ('policy = "mine"', "'policy' must be one of 'unrated', 'ours'"),
        ('format = "xml"', "'format' must be one of 'table', 'json'"),
        ("cut_points = [10, 35, 70]", "'cut_points' must be four increasing numbers"),
        ("cut_points = [10, 70, 35, 93]", "'cut_points' must be four increasing numbers"),
        ("cut_points = [10, 35, 70, 930]", "'cut_points' must be four increasing numbers"),
        ("reject_below = 101", "'reject_below' must be a number from 0 to 100, not 101"),
        ("reject_below = true", "'reject_below' must be a number"),
        ('label = "pink"', "'label' must be one of 'red', 'yellow'"),
        ("include = [1]", "'include' must be a list of texts"),
        ('model = ""', "'model' must be text"),
        ("model = ", "is not valid TOML"),
    ],
)
def test_what_makes_no_sense_is_an_error_that_names_key_and_file(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as raised:
        config.load(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert message in str(raised.value)


def test_a_file_that_is_no_utf8_is_told(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b'model = "caf\xe9"')
    with pytest.raises(ConfigError, match="UTF-8"):
        config.load(path)


def test_one_text_stands_for_a_list_of_one() -> None:
    assert config.parse('provider = "cuda"').provider == ("cuda",)


def test_saving_makes_the_folder_leaves_no_other_file_and_makes_paths_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "new" / "folder" / "config.toml"
    config.save(Settings(model="mine.onnx", taste="mine.json"), path)
    assert config.load(path).model == str(tmp_path / "mine.onnx")
    assert config.load(path).taste == str(tmp_path / "mine.json")
    assert [file.name for file in path.parent.iterdir()] == ["config.toml"]


def test_bytes_that_are_no_utf8_cannot_be_saved(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="UTF-8"):
        config.save(Settings(model="caf\udce9"), tmp_path / "config.toml")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        config.save(Settings(), tmp_path / "file" / "config.toml")
