"""Entries of digiKam's Open With and its settings: made, checked, fixed, and taken back exactly."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aesth.digikam import installing
from aesth.digikam.checks import HINDRANCES, hindrances
from aesth.digikam.culling import Pick
from aesth.digikam.entries import MIME_TYPES, escaped, is_awkward, make_entries, mime_types, quoted, templates_folder
from aesth.digikam.installing import Place, plan_entries, plan_entries_removal, plan_fixes, plan_fixes_back
from aesth.digikam.kconfig import KConfig
from aesth.digikam.settings import DigikamSettings, MetadataSettings, WritingMode, parse_settings
from aesth.errors import AesthError, MissingDependencyError
from aesth.formats import PICTURE_SUFFIXES, RAW_SUFFIXES
from aesth.metadata import SidecarStyle
from support.cli import aesth_in_process

pytestmark = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="desktop files are of Linux")

NAMES = ["aesth-cull.desktop", "aesth-score.desktop"]
SETTINGS = b"""[Album Settings]
Album Monitoring=true

[General Settings]
Version=7.9.0

[Metadata Settings]
Save Rating=false
Update File Timestamp=true
"""
FIXED = MetadataSettings(
    reads_sidecars=True, rescans=True, saves_rating=True, saves_pick=True, writing_mode=WritingMode.FALLBACK
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A person's folders, without programs that look at desktop files or list processes of digiKam."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.setattr(installing, "_UPDATERS", ())
    monkeypatch.setattr(installing, "require_closed", lambda: None)
    (tmp_path / "share").mkdir()
    return Place(tmp_path / "share" / "applications", tmp_path / "state")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    return made(tmp_path / "bin dir" / "aesth")


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    file = tmp_path / "config" / "digikamrc"
    file.parent.mkdir()
    file.write_bytes(SETTINGS)
    return file


def made(program: Path) -> Path:
    program.parent.mkdir(parents=True, exist_ok=True)
    program.touch()
    return program


def tree(folder: Path) -> dict[str, bytes | None]:
    return {
        path.relative_to(folder).as_posix(): None if path.is_dir() else path.read_bytes() for path in folder.rglob("*")
    }


def value_in(entry: bytes, key: str) -> str:
    """A value of a desktop file, by the specification."""
    (line,) = (line for line in entry.decode().splitlines() if line.startswith(f"{key}="))
    plain = {"s": " ", "n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
    return re.sub(r"\\(.)", lambda match: plain[match[1]], line.partition("=")[2])


def by_the_rules(command: str) -> list[str]:
    """The arguments of ``Exec``, by the Desktop Entry Specification, field codes left alone."""
    arguments = []
    for bare, inside in re.findall(r'([^\s"]+)|"((?:[^"\\]|\\.)*)"', command, re.DOTALL):
        arguments.append((bare or re.sub(r'\\(["`$\\])', r"\1", inside)).replace("%%", "%"))
    return arguments


def by_digikam(command: str) -> list[str]:
    """The same as digiKam 7.9 and 8 split it: at spaces outside of quotes, and no escapes are known."""
    parts = [part for part in re.split(r' +(?=(?:[^"]*"[^"]*")*[^"]*$)', command) if part]
    return [part[1:-1] if part.startswith('"') and part.endswith('"') else part for part in parts]


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
@example('/opt/100% $HOME "a" `b` c\\d=e')
def test_a_program_is_quoted_by_the_rules(path: str) -> None:
    entry = f"[Desktop Entry]\nExec={escaped(quoted(path) + ' %F')}\n".encode()
    if not re.search(r"[\v\f\x1c-\x1e\x85\u2028\u2029]", path):  # ends of lines to Python's splitlines alone
        assert by_the_rules(value_in(entry, "Exec")) == [path, "%F"]
        assert re.findall("%(.)", value_in(entry, "Exec").replace("%%", ""), re.DOTALL) == ["F"]
    if not is_awkward(Path(path)) and "\n" not in path:
        assert by_digikam(quoted(str(Path(path)))) == [str(Path(path))]


@pytest.mark.parametrize("where", ["/opt/aesth", "/opt/my programs/aesth", "/opt/a'b (c);&/aesth", "/opt/é/aesth"])
def test_digikam_and_others_start_the_same(where: str) -> None:
    entries = make_entries(Path(where), Pick.REJECTED)
    assert sorted(entries) == NAMES
    expected = {
        "aesth-score.desktop": [where, "digikam", "open", "score", "%F"],
        "aesth-cull.desktop": [where, "digikam", "open", "cull", "--reject-others", "%F"],
    }
    for name, entry in entries.items():
        command = value_in(entry, "Exec")
        assert by_the_rules(command) == by_digikam(command) == expected[name]
    assert "--reject-others" not in value_in(make_entries(Path(where))["aesth-cull.desktop"], "Exec")


def test_every_format_that_is_read_has_its_types() -> None:
    assert set(MIME_TYPES) == PICTURE_SUFFIXES | RAW_SUFFIXES
    for entry in make_entries(Path("/opt/aesth")).values():
        assert value_in(entry, "MimeType").removesuffix(";").split(";") == mime_types()
    assert len(set(mime_types())) == len(mime_types())


def test_the_types_are_those_that_this_system_knows() -> None:
    known = Path("/usr/share/mime/globs2")
    if not known.is_file():
        pytest.skip("needs shared-mime-info")
    for line in known.read_text().splitlines():
        _, kind, pattern, *_ = [*line.split(":"), "", ""]
        suffix = pattern.removeprefix("*").lower()
        if suffix in MIME_TYPES and not line.startswith("#"):
            assert kind in mime_types(), line


def test_entries_are_installed_brought_up_to_date_and_taken_back(place: Place, program: Path, tmp_path: Path) -> None:
    before = tree(tmp_path)
    plan_entries(place, program).carry_out()
    assert sorted(path.name for path in place.applications.iterdir()) == NAMES
    assert plan_entries(place, program).steps == []
    plan = plan_entries(place, made(tmp_path / "new" / "aesth"), Pick.REJECTED)
    assert plan.told == [f"renew 2 files in {place.applications}"]
    plan.carry_out()
    (tmp_path / "new" / "aesth").unlink()
    (tmp_path / "new").rmdir()
    plan = plan_entries_removal(place)
    assert plan is not None
    plan.carry_out()
    assert plan_entries_removal(place) is None
    assert tree(tmp_path) == before


def test_other_programs_in_the_folder_stay_and_so_does_what_a_person_changed(place: Place, program: Path) -> None:
    place.applications.mkdir()
    (place.applications / "other.desktop").write_text("mine")
    plan_entries(place, program).carry_out()
    changed = place.applications / NAMES[0]
    changed.write_text("changed")
    plan = plan_entries_removal(place)
    assert plan is not None
    assert f"leave {changed}, which somebody changed" in plan.told
    plan.carry_out()
    assert tree(place.applications) == {"other.desktop": b"mine", NAMES[0]: b"changed"}


@pytest.mark.parametrize("name", ["100%", "$HOME", 'a"b', "a=b", "back\\slash", "`id`", "new\nline"])
def test_a_program_whose_path_menus_cannot_be_told_is_started_by_a_link(
    place: Place, tmp_path: Path, name: str
) -> None:
    program = made(tmp_path / name / "aesth")
    before = tree(tmp_path)
    with pytest.raises(AesthError, match="cannot be started from menus"):
        make_entries(program)
    plan_entries(place, program).carry_out()
    command = value_in((place.applications / NAMES[1]).read_bytes(), "Exec")
    started = Path(by_the_rules(command)[0])
    assert by_digikam(command)[0] == str(started)
    assert started.samefile(program)
    assert plan_entries(place, program).steps == []
    plan = plan_entries_removal(place)
    assert plan is not None
    plan.carry_out()
    assert tree(tmp_path) == before


def test_a_flatpak_starts_the_program_outside(place: Place) -> None:
    flatpak = Place(place.applications, place.record, ("flatpak-spawn", "--host", "--watch-bus"))
    plan_entries(flatpak, Path("/opt/aesth")).carry_out()
    command = value_in((place.applications / NAMES[1]).read_bytes(), "Exec")
    assert shlex.split(command) == [*flatpak.before, "/opt/aesth", "digikam", "open", "score", "%F"]


@pytest.mark.parametrize("folder", ["site-packages/aesth/_plugins/digikam", "plugins/digikam"])
def test_the_templates_are_found_in_a_wheel_and_in_a_checkout(tmp_path: Path, folder: str) -> None:
    package = tmp_path / folder.split("/")[0].replace("plugins", "sdk") / "aesth"
    package.mkdir(parents=True, exist_ok=True)
    with pytest.raises(MissingDependencyError, match="install aesth anew"):
        templates_folder(package)
    made(tmp_path / folder / NAMES[0])
    assert templates_folder(package) == tmp_path / folder


def said(**changed: object) -> MetadataSettings:
    return MetadataSettings(**{**vars(FIXED), **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"reads_sidecars": False}, "does not read sidecars"),
        ({"rescans": False}, "does not look again"),
        ({"saves_rating": False}, "keeps the stars that you give in its database alone"),
        ({"saves_pick": False}, "keeps your pick labels"),
        ({"writing_mode": WritingMode.FILE}, "writes into photos alone"),
        ({"lazy": True}, "only later"),
        ({"scans_at_start": False}, "when it starts"),
        ({"monitors": False}, "does not watch folders"),
        ({"clears": True}, "deletes what its database says"),
        ({"compatible_names": True}, "digiKam 8 looks for sidecars called IMG.xmp, and aesth makes IMG.CR2.xmp"),
    ],
)
def test_each_setting_that_is_in_the_way_is_told(changed: dict[str, object], words: str) -> None:
    (found,) = hindrances(said(**changed))
    assert words in found.why


def test_no_other_setting_is_in_the_way() -> None:
    assert hindrances(FIXED) == []
    assert hindrances(said(compatible_names=True), SidecarStyle.ADOBE) == []
    assert len(hindrances(FIXED, SidecarStyle.ADOBE)) == 1
    for mode in (WritingMode.SIDECAR, WritingMode.BOTH):
        assert hindrances(said(writing_mode=mode)) == []


def read(settings: Path) -> DigikamSettings:
    return parse_settings(settings.read_bytes(), settings)


def fix(settings: Path) -> list[str]:
    plan = plan_fixes(settings, hindrances(read(settings).metadata))
    plan.carry_out()
    return plan.told


def take_back() -> list[str]:
    plan = plan_fixes_back()
    plan.carry_out()
    return plan.told


def test_what_is_fixed_is_nothing_else_and_is_taken_back_to_the_byte(
    place: Place, settings: Path, tmp_path: Path
) -> None:
    before = tree(tmp_path)
    told = fix(settings)
    assert read(settings).metadata == FIXED
    assert (settings.parent / "digikamrc.before-aesth").read_bytes() == SETTINGS
    changed = [line for line in settings.read_bytes().splitlines() if line not in SETTINGS.splitlines()]
    assert len(changed) == len(told) - 1 == 5
    assert plan_fixes(settings, hindrances(read(settings).metadata)).steps == []
    assert take_back() == [f"give {settings} back as it was", f"remove the copy {settings}.before-aesth"]
    assert {name: content for name, content in tree(tmp_path).items() if name in before} == before
    assert not (settings.parent / "digikamrc.before-aesth").exists()
    assert plan_fixes_back().steps == []


def test_what_was_changed_since_stays(place: Place, settings: Path) -> None:
    """digiKam writes its file anew whenever it ends."""
    fix(settings)
    since = KConfig(settings.read_bytes()).having("Metadata Settings", "Rescan File If Modified", "false")
    settings.write_bytes(bytes(since.having("General Settings", "Version", "7.9.1")))
    assert f"leave in {settings}: [Metadata Settings] Rescan File If Modified, which somebody changed" in take_back()
    expected = KConfig(SETTINGS).having("Metadata Settings", "Rescan File If Modified", "false")
    assert settings.read_bytes() == bytes(expected.having("General Settings", "Version", "7.9.1"))


def test_what_is_fixed_twice_comes_back_as_it_was_at_first(place: Place, settings: Path) -> None:
    fix(settings)
    again = KConfig(settings.read_bytes()).having("Metadata Settings", "Save Rating", "no")
    settings.write_bytes(bytes(again.having("Metadata Settings", "Use Lazy Synchronization", "true")))
    fix(settings)
    assert read(settings).metadata == FIXED
    take_back()
    assert bytes(KConfig(settings.read_bytes()).without("Metadata Settings", "Use Lazy Synchronization")) == SETTINGS


def test_a_fix_that_was_cut_short_can_be_taken_back(place: Place, settings: Path, tmp_path: Path) -> None:
    before = tree(tmp_path)
    steps = plan_fixes(settings, hindrances(read(settings).metadata)).steps
    for done in range(1, len(steps) + 1):
        for step in plan_fixes(settings, hindrances(read(settings).metadata)).steps[:done]:
            step()
        take_back()
        left = tree(tmp_path)
        assert left["config/digikamrc"] == before["config/digikamrc"]
        assert done == 1 or "config/digikamrc.before-aesth" not in left
        (settings.parent / "digikamrc.before-aesth").unlink(missing_ok=True)


def test_settings_that_change_meanwhile_are_left(place: Place, settings: Path) -> None:
    plan = plan_fixes(settings, hindrances(read(settings).metadata))
    settings.write_bytes(SETTINGS + b"\n[Other]\na=b\n")
    with pytest.raises(AesthError, match="meanwhile"):
        plan.carry_out()
    assert settings.read_bytes() == SETTINGS + b"\n[Other]\na=b\n"


def test_every_fix_is_told_with_where_a_person_finds_the_setting() -> None:
    assert all("Settings > Configure digiKam" in hindrance.why for hindrance in HINDRANCES)


@pytest.fixture
def person(place: Place, settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One whose only digiKam, never running, is set up in ``settings``."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(settings.parent))
    monkeypatch.setattr("aesth.digikam.running.find_running", lambda *_: [])
    monkeypatch.setattr("aesth.install.darktable.find_program", lambda: Path("/opt/aesth"))
    return tmp_path


def say(*arguments: str) -> tuple[int, str]:
    done = aesth_in_process("digikam", "install", *arguments)
    return done.returncode, done.stdout.decode() + done.stderr.decode()


def test_the_command_installs_explains_fixes_and_takes_back(person: Path, settings: Path, place: Place) -> None:
    before = tree(person)
    code, would = say("--dry-run", "--fix")
    assert (code, tree(person)) == (0, before)
    code, told = say()
    assert code == 0
    assert f"Install entries of Open With in {place.applications}:\n  copy 2 files" in told
    assert f"{settings}: 5 settings are in the way:" in told
    assert "--fix" in told
    assert settings.read_bytes() == SETTINGS
    code, told = say("--fix")
    assert "the entries are installed and up to date" in told
    assert "Once: stars that you gave before are not in the files yet" in told
    assert [line for line in would.splitlines() if "set in" in line] == [
        line for line in told.splitlines() if "set in" in line
    ]
    assert f"{settings}: no setting is in the way." in say()[1]
    code, told = say("--uninstall")
    assert code == 0
    assert settings.read_bytes() == SETTINGS
    assert not place.applications.exists()
    assert "nothing to take back" in say("--uninstall")[1]


@pytest.mark.parametrize(
    ("prefix", "menu", "listed"),
    [
        ("", "own/menus/applications.menu", True),
        ("kde-", "system/menus/kde-applications.menu", True),
        ("kde-", "system/menus/applications.menu", False),
        ("", "system/applications.menu", False),
    ],
)
def test_where_no_menu_lists_programs_it_is_told_that_digikam_8_lists_none(
    person: Path, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefix: str, menu: str, listed: bool
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CONFIG_DIRS", f"{tmp_path / 'none'}{os.pathsep}{tmp_path / 'system'}")
    monkeypatch.setenv("XDG_MENU_PREFIX", prefix)
    (tmp_path / menu).parent.mkdir(parents=True)
    (tmp_path / menu).write_text("<Menu/>")
    assert ("no menu of programs" in say("--dry-run")[1]) is not listed


def test_settings_are_neither_fixed_nor_taken_back_while_digikam_runs(
    person: Path, settings: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aesth.digikam.running import Running

    assert say("--fix")[0] == 0
    fixed = tree(person)
    monkeypatch.setattr("aesth.digikam.running.find_running", lambda *_: [Running(7)])
    code, told = say("--uninstall")
    assert (code, tree(person)) == (1, fixed)
    assert "digiKam is running (process 7)" in told
    settings.write_bytes(SETTINGS)
    code, told = say("--fix")
    assert code == 1
    assert settings.read_bytes() == SETTINGS


def test_without_settings_the_entries_are_made_and_a_fix_is_an_error(person: Path, settings: Path) -> None:
    settings.unlink()
    code, told = say()
    assert code == 0
    assert "start digiKam once" in told
    assert say("--fix")[0] == 3
    assert say("--config", "/none")[0] == 2
