"""What digiKam's database says of photos, and how digiKam is had to read them again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from aesth.digikam.known import Known, count_rated, known_photos
from aesth.digikam.rereading import ALBUM, SELECTION, Reread, Waiting, have_reread
from aesth.digikam.settings import (
    DigikamSettings,
    MetadataSettings,
    MysqlDatabase,
    SqliteDatabase,
)
from aesth.errors import AesthError
from support.library import Library, make_library

REJECTED, PENDING, ACCEPTED, NO_PICK = 19, 20, 21, 18
"""digiKam's internal tags."""

AT_ONCE = Waiting(still=0.0)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return make_library(tmp_path / "library")


def settings_of(library: Library, **said: bool) -> DigikamSettings:
    given = MetadataSettings(**{"saves_rating": True, **said})
    return DigikamSettings(library.folder / "digikamrc", "7.9.0", given, SqliteDatabase(library.database))


def test_stars_and_labels_are_those_of_the_photo_and_no_other_of_its_name(library: Library) -> None:
    library.photo("a.jpg", rating=3)
    library.photo("a.jpg", relative="/2026", rating=5)
    library.photo("odd 'name'%.jpg", relative="/2026", rating=-1)
    library.item("a.jpg", relative="/gone", status=3, rating=2)
    for tag, name in ((REJECTED, "no.jpg"), (PENDING, "may.jpg"), (ACCEPTED, "yes.jpg"), (NO_PICK, "none.jpg")):
        library.do("INSERT INTO ImageTags VALUES (?, ?)", library.photo(name, rating=0), tag)
    photos = library.photos
    asked = [*photos.rglob("*.jpg"), photos / "unknown.jpg", photos / "gone" / "a.jpg", Path("/elsewhere/a.jpg")]
    assert known_photos(SqliteDatabase(library.database), asked) == {
        photos / "a.jpg": Known(3),
        photos / "2026" / "a.jpg": Known(5),
        photos / "2026" / "odd 'name'%.jpg": Known(0),
        photos / "no.jpg": Known(pick=1),
        photos / "may.jpg": Known(pick=2),
        photos / "yes.jpg": Known(pick=3),
        photos / "none.jpg": Known(),
    }
    assert count_rated(SqliteDatabase(library.database)) == 2


def test_a_reject_is_what_the_label_says(library: Library) -> None:
    assert [Known(4).stars, Known(4, 1).stars, Known(0, 3).stars] == [4, -1, None]


def test_what_cannot_be_asked_is_told(tmp_path: Path) -> None:
    damaged = tmp_path / "digikam4.db"
    damaged.write_bytes(b"no database" * 100)
    for database in (SqliteDatabase(tmp_path / "none.db"), SqliteDatabase(damaged), MysqlDatabase("d", "u", ""), None):
        with pytest.raises(AesthError, match="database"):
            known_photos(database, [tmp_path / "a.jpg"])
    assert not (tmp_path / "none.db").exists()


@dataclass
class Menus:
    """digiKam's menus: what the entries do, and which were chosen."""

    acts: dict[str, Callable[[], object]]
    chosen: list[str] = field(default_factory=list)

    def is_enabled(self, action: str) -> bool:
        return action in self.acts

    def choose(self, action: str) -> bool:
        self.chosen.append(action)
        self.acts[action]()
        return True


@pytest.fixture
def written(library: Library) -> dict[Path, Known]:
    """Photos that got stars which digiKam does not show yet."""
    library.photo("a.jpg", rating=-1)
    library.photo("b.jpg", rating=1)
    return {library.photos / "a.jpg": Known(4), library.photos / "b.jpg": Known(5)}


def show(library: Library) -> Callable[[], object]:
    """What digiKam does when it reads the photos again."""

    def act() -> None:
        library.do("UPDATE ImageInformation SET rating = (SELECT CASE name WHEN 'a.jpg' THEN 4 ELSE 5 END "
                   "FROM Images WHERE id = imageid)")  # fmt: skip

    return act


def nothing() -> None:
    """What happens where other photos are selected."""


def test_a_damaged_name_of_a_table_is_told_as_damage(library: Library) -> None:
    library.damage_a_name()
    with pytest.raises(AesthError, match=r"cannot be read .*malformed"):
        count_rated(SqliteDatabase(library.database))


def test_the_selection_is_read_again_and_the_album_is_not(library: Library, written: dict[Path, Known]) -> None:
    menus = Menus({SELECTION: show(library), ALBUM: nothing})
    assert have_reread(written, menus, settings_of(library)) is Reread.SHOWN
    assert menus.chosen == [SELECTION]


def test_the_album_is_read_where_others_are_selected_or_none(library: Library, written: dict[Path, Known]) -> None:
    menus = Menus({SELECTION: nothing, ALBUM: show(library)})
    assert have_reread(written, menus, settings_of(library), AT_ONCE) is Reread.SHOWN
    assert menus.chosen == [SELECTION, ALBUM]
    menus = Menus({ALBUM: show(library)})
    assert have_reread(written, menus, settings_of(library), AT_ONCE) is Reread.SHOWN
    assert menus.chosen == [ALBUM]


def test_where_nothing_helps_or_nobody_hears_it_is_told(library: Library, written: dict[Path, Known]) -> None:
    menus = Menus({SELECTION: nothing, ALBUM: nothing})
    assert have_reread(written, menus, settings_of(library), AT_ONCE) is Reread.NOT_HEARD
    assert have_reread(written, menus, settings_of(library, rescans=True), AT_ONCE) is Reread.RESCANS
    assert have_reread(written, None, settings_of(library)) is Reread.NOT_HEARD
    assert have_reread(written, None, settings_of(library, rescans=True)) is Reread.RESCANS
    assert have_reread(written, Menus({SELECTION: nothing}), None) is Reread.ASKED


def test_nothing_is_read_again_over_stars_that_the_database_alone_has(
    library: Library, written: dict[Path, Known]
) -> None:
    menus = Menus({SELECTION: show(library), ALBUM: nothing})
    for said in ({"saves_rating": False}, {"lazy": True}):
        other = library.photo(f"other-{len(said)}-{'lazy' in said}.jpg", rating=2)
        assert have_reread(written, menus, settings_of(library, **said)) is Reread.UNSAFE
        assert have_reread(written, menus, settings_of(library, rescans=True, **said)) is Reread.RESCANS
        assert menus.chosen == []
        library.do("UPDATE Images SET status = 3 WHERE id = ?", other)
    assert have_reread(written, menus, settings_of(library, saves_rating=False)) is Reread.SHOWN


def test_who_stops_waits_no_more(library: Library, written: dict[Path, Known]) -> None:
    menus = Menus({SELECTION: show(library)})
    assert have_reread(written, menus, settings_of(library), Waiting(stopped=lambda: True)) is Reread.NOT_HEARD
    assert menus.chosen == []
