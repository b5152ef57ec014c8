"""The mutation fuzz, shortened: damaged photos are scored, rated and undone, and nothing is lost; and it would notice.

Run it long by ``python scripts/fuzz_metadata.py``.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from aesth.decode.quiet import quiet_decoders
from aesth.metadata import MetadataSession, NewRating
from support.metadata import NEW
from support.photos import encode, noise

SCRIPT = Path(__file__).parents[2] / "scripts" / "fuzz_metadata.py"
SEED, COUNT = 3, 16


@pytest.fixture(scope="module")
def fuzz() -> Iterator[ModuleType]:
    """The script, as a module."""
    specification = importlib.util.spec_from_file_location("fuzz_metadata", SCRIPT)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    path = list(sys.path)
    sys.modules["fuzz_metadata"] = module
    specification.loader.exec_module(module)
    sys.path[:] = path
    yield module
    del sys.modules["fuzz_metadata"]


@pytest.fixture(scope="module")
def seeds(fuzz: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Sequence[object]:
    return list(fuzz.made_seeds(tmp_path_factory.mktemp("seeds")))


def examined(fuzz: ModuleType, session: MetadataSession, folder: Path, cases: Sequence[object]) -> Any:
    with quiet_decoders():
        return fuzz.Examiner(session, folder).examine(cases)


def test_no_damage_makes_a_file_be_lost(fuzz: ModuleType, seeds: Sequence[object], tmp_path: Path) -> None:
    cases = [fuzz.make_case(number, SEED, seeds) for number in range(COUNT)]
    with MetadataSession(journal=tmp_path / "journal.sqlite") as session:
        report = examined(fuzz, session, tmp_path / "photos", cases)
    assert report.findings == []
    assert report.counts["cases"] == COUNT
    assert min(report.counts[what] for what in ("embedded", "sidecar", "refused")) > 0
    assert report.counts["undone"] == report.counts["embedded"] + report.counts["sidecar"]


def test_a_case_is_the_same_whenever_it_is_made(fuzz: ModuleType, seeds: Sequence[object]) -> None:
    first, again = (fuzz.make_case(7, SEED, seeds) for _ in range(2))
    assert first == again
    assert first != fuzz.make_case(7, SEED + 1, seeds)
    damaged = [fuzz.make_case(number, SEED, seeds).files for number in range(COUNT)]
    assert len({content for files in damaged for content in files.values()}) > COUNT


class Careless(MetadataSession):
    """Writes as the real one does, and then harms what is in the folder."""

    harm = ""

    def write(self, path: Path, new: NewRating, *, sidecar: bool = False) -> list[Path]:
        written = super().write(path, new, sidecar=sidecar)
        if self.harm == "cut":
            path.write_bytes(path.read_bytes()[:-200])
        elif self.harm == "litter":
            path.with_name(".aesth-left").touch()
        elif self.harm == "crash":
            raise KeyError("what nobody expects")
        elif self.harm == "lie":
            super().write(path, NewRating(1, 5.0, "other 0123abcd", new.date), sidecar=sidecar)
        return written


def test_what_is_lost_is_found(fuzz: ModuleType, tmp_path: Path) -> None:
    case = fuzz.Case(0, "a seed", {"a.jpg": encode(noise())}, NEW, sidecar_only=False)
    told = {"cut": "pixels changed", "litter": "left behind", "crash": "KeyError", "lie": "second read", "": None}
    with Careless(journal=tmp_path / "journal.sqlite") as session:
        for session.harm, what in told.items():
            findings = examined(fuzz, session, tmp_path / f"photos {session.harm}", [case]).findings
            assert bool(findings) is bool(what)
            assert not what or what in findings[0][1]
