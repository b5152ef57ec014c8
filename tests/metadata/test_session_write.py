"""What a write changes, and above all what it does not; where it goes; who else can read it."""

import os
import shutil
import stat
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from exiftool import ExifToolHelper
from PIL import Image
from test_metadata_formats import credentials, with_segments

from aesth.errors import MetadataError
from aesth.metadata import ChangedError, Colour, Extras, MetadataSession, NewRating, RatingState, SidecarStyle
from aesth.metadata import session as session_module
from aesth.metadata.exiftool import ExifTool, Reply
from support.metadata import (
    DARKTABLE,
    DATE,
    EMBEDDED,
    NEW,
    differences,
    exiftool,
    exiv2,
    frames,
    make_photo,
    make_rich_photos,
    rate_by_hand,
    tags,
    tags_below,
)

OURS = RatingState(4, 4, 87.12, NEW.model)
PERCENT = {1: 1, 2: 25, 3: 50, 4: 75, 5: 99}


@pytest.fixture(scope="module")
def session() -> Iterator[MetadataSession]:
    with MetadataSession() as opened:
        yield opened


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a photo of each kind, ``a.KIND``, that holds much else; nobody may change them."""
    folder = tmp_path_factory.mktemp("rich")
    make_rich_photos(*(folder / f"a.{kind}" for kind in EMBEDDED))
    return folder


def state(session: MetadataSession, path: Path) -> RatingState:
    (found,) = session.read([path])
    assert isinstance(found, RatingState), found
    return found


def names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def test_programs_that_use_pyexiftool_find_the_stars_in_every_kind(session: MetadataSession, tmp_path: Path) -> None:
    photos = [make_photo(tmp_path / f"a.{kind}") for kind in EMBEDDED]
    for photo in photos:
        session.write(photo, NEW)
    with ExifToolHelper(common_args=["-G1", "-n"]) as reader:
        found = reader.get_tags(photos, ["XMP-xmp:Rating", "IFD0:Rating"])
    assert [(one["XMP-xmp:Rating"], one["IFD0:Rating"]) for one in found] == [(4, 4)] * len(photos)


@pytest.mark.parametrize("kind", EMBEDDED)
class TestEmbedded:
    def test_pixels_and_all_other_tags_stay(
        self, session: MetadataSession, rich: Path, tmp_path: Path, kind: str
    ) -> None:
        before = rich / f"a.{kind}"
        path = Path(shutil.copy(before, tmp_path))
        assert session.write(path, NEW) == [path]
        found = tags_below(before, path)
        assert "XMP-dc:Title" in found[before]
        assert differences(found[before], found[path]) == set()
        assert all(map(np.array_equal, frames(before), frames(path)))
        assert names(tmp_path) == {path.name}

    def test_all_keys_agree(self, session: MetadataSession, tmp_path: Path, kind: str) -> None:
        stars = 1 + EMBEDDED.index(kind) % 5
        path = make_photo(tmp_path / f"a.{kind}")
        session.write(path, replace(NEW, rating=stars))
        found = tags(path)
        assert {key: found[key] for key in ("XMP-xmp:Rating", "IFD0:Rating", "XMP-aesth:Rating")} == {
            "XMP-xmp:Rating": stars,
            "IFD0:Rating": stars,
            "XMP-aesth:Rating": stars,
        }
        assert found["IFD0:RatingPercent"] == found["XMP-microsoft:RatingPercent"] == PERCENT[stars]
        assert f"{found['XMP-aesth:Score']:.2f}" == "87.12"
        assert found["XMP-aesth:Model"] == NEW.model
        assert found["XMP-aesth:Date"] == "2026:01:02 03:04:05+00:00"
        assert state(session, path) == replace(OURS, rating=stars, our_rating=stars)

    def test_it_is_read_by_another_library(self, session: MetadataSession, tmp_path: Path, kind: str) -> None:
        path = make_photo(tmp_path / f"a.{kind}")
        session.write(path, NEW)
        found = exif_and_xmp_by_pillow(path) if kind == "heic" else exiv2(path)
        assert (found["Exif.Image.Rating"], found["Exif.Image.RatingPercent"]) == ("4", "75")
        assert (found["Xmp.xmp.Rating"], found["Xmp.MicrosoftPhoto.Rating"]) == ("4", "75")
        assert found["Xmp.aesth.Score"] == "87.12"
        assert found["Xmp.aesth.Date"] == "2026-01-02T03:04:05+00:00"

    def test_a_second_write_replaces_the_first(
        self, session: MetadataSession, rich: Path, tmp_path: Path, kind: str
    ) -> None:
        once, path = (Path(shutil.copy(rich / f"a.{kind}", tmp_path / name)) for name in (f"once.{kind}", f"a.{kind}"))
        for photo in (once, path):
            session.write(photo, NEW)
        session.write(path, replace(NEW, rating=2, score=20.0))
        found = tags_below(once, path)
        assert differences(found[once], found[path]) == set()
        assert state(session, path) == RatingState(2, 2, 20.0, NEW.model)

    def test_time_permissions_and_attributes_stay(self, session: MetadataSession, tmp_path: Path, kind: str) -> None:
        path = make_photo(tmp_path / f"a.{kind}")
        path.chmod(0o640)
        os.utime(path, ns=(10**18, 10**18 + 7))
        attribute = give_attribute(path)
        session.write(path, NEW)
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        assert path.stat().st_mtime_ns == 10**18 + 7
        assert not attribute or os.getxattr(path, attribute) == b"kept"


def test_a_photo_is_read_once_before_it_is_written_and_once_after(
    session: MetadataSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, asked = make_photo(tmp_path / "a.jpg"), list[list[str]]()
    run = ExifTool.run

    def noted(exiftool: ExifTool, arguments: Iterable[str], timeout: float = 600.0) -> Reply:
        asked.append([*arguments])
        return run(exiftool, asked[-1], timeout)

    monkeypatch.setattr(ExifTool, "run", noted)
    session.write(path, NEW, expected=RatingState())
    assert ["-o" in arguments for arguments in asked] == [False, True, False]


@pytest.mark.parametrize("beside", ["a.jpg.xmp", "a.CR2.xmp"])
def test_a_rating_that_comes_into_another_file_meanwhile_is_seen(
    session: MetadataSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beside: str
) -> None:
    path = make_photo(tmp_path / "a.jpg")
    (tmp_path / "a.CR2").write_bytes(b"II*\0")
    before = path.read_bytes()
    stage_all = session_module.stage_all

    def stage_then_rate(*arguments: Any, **options: Any) -> None:
        stage_all(*arguments, **options)
        (tmp_path / beside).write_text(DARKTABLE.format(rating=2))

    monkeypatch.setattr(session_module, "stage_all", stage_then_rate)
    with pytest.raises(ChangedError):
        session.write(path, NEW, expected=state(session, path))
    assert path.read_bytes() == before
    assert names(tmp_path) == {"a.jpg", "a.CR2", beside}


def exif_and_xmp_by_pillow(path: Path) -> dict[str, str]:
    namespaces = {
        "http://ns.adobe.com/xap/1.0/": "xmp",
        "http://ns.microsoft.com/photo/1.0": "MicrosoftPhoto",
        "urn:aesth:xmp/1.0/": "aesth",
    }
    with Image.open(path) as image:
        exif, xmp = image.getexif(), image.info["xmp"]
    found = {"Exif.Image.Rating": str(exif[0x4746]), "Exif.Image.RatingPercent": str(exif[0x4749])}
    for element in ElementTree.fromstring(xmp.strip(b"\0")).iter():
        namespace, _, name = element.tag.lstrip("{").rpartition("}")
        found[f"Xmp.{namespaces.get(namespace)}.{name}"] = element.text or ""
    return found


def give_attribute(path: Path) -> str:
    try:
        os.setxattr(path, "user.colour", b"kept")
    except (AttributeError, OSError):
        return ""
    return "user.colour"


def test_every_frame_and_trailer_stays(session: MetadataSession, tmp_path: Path) -> None:
    pages = [Image.new("RGB", (32, 24), (40 * page, 90, 200)) for page in range(3)]
    paths = [tmp_path / "a.tif", tmp_path / "a.png", tmp_path / "a.webp"]
    for path in paths:
        pages[0].save(path, save_all=True, append_images=pages[1:])
    motion = make_photo(tmp_path / "motion.jpg")
    motion.write_bytes(motion.read_bytes() + b"a film after the photo" * 100)
    before = {path: frames(path) for path in paths}
    for path in paths:
        assert session.write(path, NEW) == [path]
        assert len(before[path]) == 3
        assert all(map(np.array_equal, before[path], frames(path)))
    session.write(motion, NEW)
    assert motion.read_bytes().endswith(b"a film after the photo" * 100)


def test_owner_stays(session: MetadataSession, tmp_path: Path) -> None:
    if os.name != "posix" or os.getuid() != 0:
        pytest.skip("needs root to give a file away")
    path = make_photo(tmp_path / "a.jpg")
    os.chown(path, 1234, 1235)
    session.write(path, NEW)
    session.write(path, NEW, sidecar=True)
    for written in (path, tmp_path / "a.jpg.xmp"):
        assert (written.stat().st_uid, written.stat().st_gid) == (1234, 1235)


def test_a_link_is_followed_to_its_file(session: MetadataSession, tmp_path: Path) -> None:
    (tmp_path / "album").mkdir()
    photo = make_photo(tmp_path / "photo.jpg")
    link = tmp_path / "album" / "link.jpg"
    link.symlink_to("../photo.jpg")
    assert session.write(link, NEW) == [photo.resolve()]
    assert link.is_symlink()
    assert state(session, photo) == OURS
    assert names(tmp_path / "album") == {"link.jpg"}


class TestSidecar:
    @pytest.mark.parametrize("name", ["a.CR2", "a.NEF", "a.dng", "a.gif", "a.bmp"])
    def test_what_holds_no_rating_gets_one(self, session: MetadataSession, tmp_path: Path, name: str) -> None:
        photo = make_photo(tmp_path / "a.tif").rename(tmp_path / name)
        before = photo.read_bytes()
        assert session.write(photo, NEW) == [tmp_path / f"{name}.xmp"]
        assert photo.read_bytes() == before
        assert state(session, photo) == OURS
        assert exiv2(tmp_path / f"{name}.xmp")["Xmp.xmp.Rating"] == "4"
        assert stat.S_IMODE((tmp_path / f"{name}.xmp").stat().st_mode) == stat.S_IMODE(photo.stat().st_mode)

    def test_on_demand(self, session: MetadataSession, tmp_path: Path) -> None:
        photo = make_photo(tmp_path / "a.jpg")
        before = photo.read_bytes()
        assert session.write(photo, NEW, sidecar=True) == [tmp_path / "a.jpg.xmp"]
        assert photo.read_bytes() == before

    def test_a_protected_photo_gets_one(self, session: MetadataSession, tmp_path: Path) -> None:
        photo = make_photo(tmp_path / "a.jpg")
        photo.chmod(0o444)
        assert session.write(photo, NEW) == [tmp_path / "a.jpg.xmp"]
        session.write(photo, replace(NEW, rating=1))
        assert state(session, photo).rating == 1

    def test_one_with_credentials_gets_one(self, session: MetadataSession, tmp_path: Path) -> None:
        photo = make_photo(tmp_path / "a.jpg")
        photo.write_bytes(with_segments(photo.read_bytes(), (0xEB, credentials())))
        assert session.write(photo, NEW) == [tmp_path / "a.jpg.xmp"]

    def test_one_that_exiftool_warns_of_gets_one(self, session: MetadataSession, tmp_path: Path) -> None:
        photo = make_photo(tmp_path / "a.jpg")
        photo.write_bytes(photo.read_bytes()[:300])
        before = photo.read_bytes()
        assert session.write(photo, NEW) == [tmp_path / "a.jpg.xmp"]
        assert photo.read_bytes() == before
        assert names(tmp_path) == {"a.jpg", "a.jpg.xmp"}

    def test_one_whose_maker_hides_data_in_exif_gets_one(self, session: MetadataSession, tmp_path: Path) -> None:
        photo = make_photo(tmp_path / "a.jpg")
        exif = Image.Exif()
        exif[0x010F] = "Maker"
        with Image.open(photo) as image:
            image.save(photo, exif=exif.tobytes() + b"data that no tag points to" * 100)
        assert session.write(photo, NEW) == [tmp_path / "a.jpg.xmp"]

    def test_an_existing_one_is_merged_with_the_photo(self, session: MetadataSession, tmp_path: Path) -> None:
        photo, sidecar = make_photo(tmp_path / "a.jpg"), tmp_path / "a.jpg.xmp"
        sidecar.write_text(DARKTABLE.format(rating=1))
        before = xmp_of_others(sidecar)
        assert set(session.write(photo, NEW)) == {photo, sidecar}
        assert xmp_of_others(sidecar) == before
        assert before["Xmp.darktable.history[2]/darktable:operation"] == "sharpen"
        assert exiv2(sidecar)["Xmp.xmp.Rating"] == exiv2(photo)["Xmp.xmp.Rating"] == "4"

    def test_comments_and_elements_that_nobody_knows_stay_to_the_byte(
        self, session: MetadataSession, tmp_path: Path
    ) -> None:
        photo, sidecar = make_photo(tmp_path / "a.gif"), tmp_path / "a.gif.xmp"
        text = DARKTABLE.format(rating=1).replace("<darktable:history>", "<!-- mine --><?app data?><darktable:history>")
        sidecar.write_text(text)
        duplicate = tmp_path / "a_01.gif.xmp"
        duplicate.write_text(text)
        assert session.write(photo, NEW) == [sidecar]
        changed = set(text.splitlines()) - set(sidecar.read_text().splitlines())
        assert changed == {'   xmp:Rating="1"', '   darktable:history_end="2">'}
        assert '   darktable:history_end="2"\n' in sidecar.read_text()
        assert duplicate.read_text() == text

    def test_one_that_cannot_be_changed_without_loss_is_refused(self, session: MetadataSession, tmp_path: Path) -> None:
        photo, sidecar = make_photo(tmp_path / "a.jpg"), tmp_path / "a.jpg.xmp"
        rating = "<xmp:Rating><rdf:Bag><rdf:li>3</rdf:li></rdf:Bag></xmp:Rating>"
        text = (
            DARKTABLE.format(rating=1).replace('xmp:Rating="1"', "").replace("<foreign:deep", rating + "<foreign:deep")
        )
        sidecar.write_text(text)
        before = photo.read_bytes()
        with pytest.raises(MetadataError, match="without loss") as caught:
            session.write(photo, NEW)
        assert caught.value.path == sidecar
        assert (photo.read_bytes(), sidecar.read_text()) == (before, text)
        assert names(tmp_path) == {"a.jpg", "a.jpg.xmp"}

    def test_a_new_one_holds_all_xmp_that_it_hides(self, session: MetadataSession, tmp_path: Path) -> None:
        (photo,), packet = make_rich_photos(tmp_path / "a.jpg"), tmp_path / "packet"
        xmp = exiftool("-xmp", "-b", photo)
        more = "<rdf:Description xmlns:n='http://ns.adobe.com/xmp/note/' n:HasExtendedXMP='0123'/><!-- mine -->"
        packet.write_text(xmp.replace("</rdf:RDF>", f"{more}</rdf:RDF>"))
        rate_by_hand(photo, f"-XMP<={packet}")
        assert "<!-- mine -->" in exiftool("-xmp", "-b", photo)
        hidden = xmp_of_others(photo)
        (sidecar,) = session.write(photo, NEW, sidecar=True)
        shown = xmp_of_others(sidecar)
        assert hidden.pop("Xmp.n.HasExtendedXMP") == "0123"
        assert shown == hidden
        assert {"Xmp.dc.title", "Xmp.crs.Exposure2012", "Xmp.digiKam.ColorLabel"} <= shown.keys()
        assert "<!-- mine -->" in sidecar.read_text()
        assert "HasExtendedXMP" not in sidecar.read_text()
        assert exiv2(sidecar)["Xmp.xmp.Rating"] == "4"

    def test_xmp_that_no_program_can_read_is_not_copied(self, session: MetadataSession, tmp_path: Path) -> None:
        photo, packet = make_photo(tmp_path / "a.jpg"), tmp_path / "packet"
        packet.write_text("<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF>")
        exiftool("-m", "-overwrite_original", f"-XMP<={packet}", photo)
        (sidecar,) = session.write(photo, NEW, sidecar=True)
        assert exiv2(sidecar)["Xmp.xmp.Rating"] == "4"

    def test_in_adobes_style(self, tmp_path: Path) -> None:
        photo, other = make_photo(tmp_path / "a.gif"), make_photo(tmp_path / "b.gif")
        (tmp_path / "b.gif.xmp").write_text(DARKTABLE.format(rating=1))
        with MetadataSession(style=SidecarStyle.ADOBE) as session:
            assert session.write(photo, NEW) == [tmp_path / "a.xmp"]
            assert session.write(photo, replace(NEW, rating=2)) == [tmp_path / "a.xmp"]
            assert session.write(other, NEW) == [tmp_path / "b.gif.xmp"]
            assert state(session, photo).rating == 2

    def test_adobes_is_merged_rather_than_hidden(self, session: MetadataSession, tmp_path: Path) -> None:
        raw, adobe = tmp_path / "a.CR2", tmp_path / "a.xmp"
        raw.write_bytes(b"II*\0")
        adobe.write_text(DARKTABLE.format(rating=0))
        assert session.write(raw, NEW) == [adobe]
        assert exiv2(adobe)["Xmp.xmp.Rating"] == "4"

    def test_a_jpeg_leaves_that_of_its_raw_alone(self, session: MetadataSession, tmp_path: Path) -> None:
        photo, adobe = make_photo(tmp_path / "a.jpg"), tmp_path / "a.xmp"
        (tmp_path / "a.CR2").write_bytes(b"II*\0")
        adobe.write_text(DARKTABLE.format(rating=0))
        before = adobe.read_bytes()
        assert session.write(photo, NEW) == [photo]
        assert adobe.read_bytes() == before

    def test_a_damaged_one_is_refused_and_named_and_nothing_is_written(
        self, session: MetadataSession, tmp_path: Path
    ) -> None:
        photo, sidecar = make_photo(tmp_path / "a.jpg"), tmp_path / "a.jpg.xmp"
        sidecar.write_text(DARKTABLE.format(rating=1)[:-30])
        before = photo.read_bytes(), sidecar.read_bytes()
        with pytest.raises(MetadataError, match="damaged") as caught:
            session.write(photo, NEW)
        assert caught.value.path == sidecar
        assert (photo.read_bytes(), sidecar.read_bytes()) == before
        assert names(tmp_path) == {"a.jpg", "a.jpg.xmp"}

    def test_a_protected_one_is_refused(self, session: MetadataSession, tmp_path: Path) -> None:
        photo, sidecar = make_photo(tmp_path / "a.jpg"), tmp_path / "a.jpg.xmp"
        sidecar.write_text(DARKTABLE.format(rating=1))
        sidecar.chmod(0o444)
        before = photo.read_bytes()
        with pytest.raises(MetadataError, match="protected"):
            session.write(photo, NEW)
        assert photo.read_bytes() == before


def xmp_of_others(sidecar: Path) -> dict[str, str]:
    """What exiv2 reads in a sidecar, but for what we write."""
    ours = ("Exif.", "Xmp.aesth.", "Xmp.MicrosoftPhoto.", "Xmp.xmp.Rating")
    return {key: value for key, value in exiv2(sidecar).items() if not key.startswith(ours)}


class TestReject:
    @pytest.mark.parametrize("name", ["a.jpg", "a.gif"])
    def test_it_is_written_for_digikam_and_darktable(self, session: MetadataSession, tmp_path: Path, name: str) -> None:
        photo = make_photo(tmp_path / name)
        session.write(photo, NEW)
        (written,) = session.write(photo, replace(NEW, rating=-1))
        assert written.name == {"a.jpg": "a.jpg", "a.gif": "a.gif.xmp"}[name]
        found = tags(written)
        assert (found["XMP-xmp:Rating"], found["XMP-digiKam:PickLabel"]) == (-1, 1)
        assert not {"IFD0:Rating", "IFD0:RatingPercent", "XMP-microsoft:RatingPercent"} & set(found)
        assert state(session, photo) == replace(OURS, rating=-1, our_rating=-1)

    def test_stars_take_it_back_but_leave_other_picks(self, session: MetadataSession, tmp_path: Path) -> None:
        rejected, accepted = make_photo(tmp_path / "a.jpg"), make_photo(tmp_path / "b.jpg")
        rate_by_hand(rejected, "-XMP-digiKam:PickLabel=1", "-XMP-xmp:Rating=-1")
        rate_by_hand(accepted, "-XMP-digiKam:PickLabel=3")
        for photo in (rejected, accepted):
            session.write(photo, NEW)
            assert state(session, photo) == OURS
        assert "XMP-digiKam:PickLabel" not in tags(rejected)
        assert "XMP-digiKam:PickLabel" in tags(accepted)


class TestExtras:
    @pytest.mark.parametrize("name", ["a.jpg", "a.gif"])
    def test_label_keyword_and_pick_are_read_by_other_programs(
        self, session: MetadataSession, tmp_path: Path, name: str
    ) -> None:
        photo = make_photo(tmp_path / name)
        new = replace(NEW, extras=Extras(Colour.GREEN, keyword=True, pick=True))
        session.write(photo, new)
        (written,) = session.write(photo, replace(new, rating=2))
        found = exiv2(written)
        assert (found["Xmp.xmp.Label"], found["Xmp.digiKam.ColorLabel"], found["Xmp.digiKam.PickLabel"]) == (
            *("Green", "4"),
            "3",
        )
        assert (found["Xmp.lr.hierarchicalSubject"], found["Xmp.digiKam.TagsList"]) == (
            "aesth|2 stars",
            "aesth/2 stars",
        )

    def test_keywords_of_a_person_stay(self, session: MetadataSession, tmp_path: Path) -> None:
        (photo,) = make_rich_photos(tmp_path / "a.jpg")
        session.write(photo, replace(NEW, extras=Extras(keyword=True)))
        assert tags(photo)["XMP-lr:HierarchicalSubject"] == ["a|b", "aesth|4 stars"]
        session.write(photo, NEW)
        assert tags(photo)["XMP-lr:HierarchicalSubject"] == "a|b"

    @pytest.mark.parametrize("name", ["a.jpg", "a.gif.xmp"])
    def test_a_rating_of_acdsee_agrees_afterwards(self, session: MetadataSession, tmp_path: Path, name: str) -> None:
        photo, holder = make_photo(tmp_path / name.removesuffix(".xmp")), tmp_path / name
        if holder != photo:
            holder.write_text(DARKTABLE.format(rating=2))
        rate_by_hand(holder, "-XMP-acdsee:Rating=2")
        session.write(photo, NEW)
        assert tags(holder)["XMP-acdsee:Rating"] == 4
        session.write(photo, replace(NEW, rating=-1))
        assert "XMP-acdsee:Rating" not in tags(holder)


class TestRefused:
    def test_missing_files_and_folders(self, session: MetadataSession, tmp_path: Path) -> None:
        (tmp_path / "there").mkdir()
        with pytest.raises(MetadataError, match="no such file"):
            session.write(tmp_path / "there" / "a.jpg", NEW)
        with pytest.raises(MetadataError, match="vanished"):
            session.write(tmp_path / "gone" / "a.jpg", NEW)

    def test_a_loop_of_links(self, session: MetadataSession, tmp_path: Path) -> None:
        (tmp_path / "a.jpg").symlink_to("a.jpg")
        with pytest.raises(MetadataError, match="nothing was written"):
            session.write(tmp_path / "a.jpg", NEW)

    @pytest.mark.parametrize("name", ["a.jpg", "a.gif"])
    def test_a_protected_folder(self, unprivileged: Path, name: str) -> None:
        photo = make_photo(unprivileged / name)
        unprivileged.chmod(0o555)
        with MetadataSession() as session, pytest.raises(MetadataError, match="folder is protected"):
            session.write(photo, NEW)
        assert names(unprivileged) == {name}

    def test_a_full_disk(self, tmp_path: Path) -> None:
        resource = pytest.importorskip("resource")
        photo = tmp_path / "a.jpg"
        noise = np.random.default_rng(0).integers(0, 255, (400, 400, 3), np.uint8)
        Image.fromarray(noise).save(photo, quality=95)
        before, limits = photo.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
        try:
            with MetadataSession() as session, pytest.raises(MetadataError):
                session.write(photo, NEW)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert photo.read_bytes() == before
        assert names(tmp_path) == {"a.jpg"}

    def test_a_photo_that_another_program_changes_meanwhile(
        self, session: MetadataSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        photo = make_photo(tmp_path / "a.jpg")
        other = make_photo(tmp_path / "b.jpg", 20).read_bytes()

        def stage_slowly(*arguments: object, **options: object) -> None:
            stage_all(*arguments, **options)
            thread = threading.Thread(target=photo.write_bytes, args=[other])
            thread.start()
            thread.join()

        from aesth.metadata.session import stage_all

        monkeypatch.setattr("aesth.metadata.session.stage_all", stage_slowly)
        with pytest.raises(MetadataError, match="another program"):
            session.write(photo, NEW)
        assert photo.read_bytes() == other
        assert names(tmp_path) == {"a.jpg", "b.jpg"}

    def test_a_session_that_is_not_open(self, tmp_path: Path) -> None:
        with pytest.raises(MetadataError, match="with"):
            MetadataSession().write(make_photo(tmp_path / "a.jpg"), NEW)


def test_a_date_without_a_zone_is_local_time(session: MetadataSession, tmp_path: Path) -> None:
    photo = make_photo(tmp_path / "a.jpg")
    session.write(photo, replace(NEW, date=DATE.replace(tzinfo=None)))
    assert tags(photo)["XMP-aesth:Date"].startswith("2026:01:02 03:04:05")


def test_names_in_photos_are_those_of_the_contract(session: MetadataSession, tmp_path: Path) -> None:
    photo = make_photo(tmp_path / "a.jpg")
    session.write(photo, NewRating(5, 100.0, "m", DATE))
    xmp = exiftool("-xmp", "-b", photo)
    assert "xmlns:aesth='urn:aesth:xmp/1.0/'" in xmp
    assert "<aesth:Score>100.00</aesth:Score>" in xmp
    assert "<aesth:Rating>5</aesth:Rating>" in xmp


def test_content_is_named_rightly_where_the_extension_lies(session: MetadataSession, tmp_path: Path) -> None:
    photo = make_photo(tmp_path / "a.jpg").rename(tmp_path / "a.png")
    assert session.write(photo, NEW) == [photo]
    assert shutil.which("exiv2") is None or exiv2(photo)["Xmp.xmp.Rating"] == "4"
