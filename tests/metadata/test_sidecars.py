"""Which sidecars belong to a photo, and which are too damaged to touch."""

from pathlib import Path

import pytest

from aesth.errors import MetadataError
from aesth.metadata import MetadataSession, sidecars
from support.metadata import DARKTABLE, NEW


def touch(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).touch()
    return [folder / name for name in names]


def test_both_styles_are_found_darktables_first(tmp_path: Path) -> None:
    photo, adobe, own = touch(tmp_path, "IMG.CR2", "IMG.xmp", "IMG.CR2.xmp")
    assert sidecars.find(photo) == [sidecars.Sidecar(own), sidecars.Sidecar(adobe)]


def test_those_of_duplicates_and_of_other_photos_are_not(tmp_path: Path) -> None:
    photo, *_ = touch(tmp_path, "IMG.CR2", "IMG_01.CR2.xmp", "IMG2.xmp", "IMG.JPG.xmp", "IMG.CR2.xmp.bak")
    assert sidecars.find(photo) == []


def test_of_a_raw_and_its_jpeg_adobes_is_the_raws(tmp_path: Path) -> None:
    raw, jpeg, adobe = touch(tmp_path, "IMG.CR2", "IMG.JPG", "IMG.xmp")
    assert sidecars.find(raw) == [sidecars.Sidecar(adobe)]
    assert sidecars.find(jpeg) == [sidecars.Sidecar(adobe, shared=True)]


def test_of_a_jpeg_alone_it_is_its_own(tmp_path: Path) -> None:
    jpeg, adobe = touch(tmp_path, "IMG.JPG", "IMG.xmp")
    assert sidecars.find(jpeg) == [sidecars.Sidecar(adobe)]


def test_a_sidecar_is_not_its_own(tmp_path: Path) -> None:
    (photo,) = touch(tmp_path, "IMG.xmp")
    assert sidecars.find(photo) == []


def test_one_given_in_place_of_a_photo_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.XMP").write_text(DARKTABLE)
    with MetadataSession() as session:
        (state,) = session.read([tmp_path / "a.XMP"])
        assert isinstance(state, MetadataError)
        with pytest.raises(MetadataError, match="this is a sidecar"):
            session.write(tmp_path / "a.XMP", NEW)


class TestNewNames:
    def test_darktables_style_names_the_kind_of_photo(self, tmp_path: Path) -> None:
        assert sidecars.new_path(tmp_path / "IMG.CR2") == tmp_path / "IMG.CR2.xmp"

    @pytest.mark.parametrize("photo", ["IMG.CR2", "IMG.JPG", "a.b.dng"])
    def test_adobes_does_not(self, tmp_path: Path, photo: str) -> None:
        (path,) = touch(tmp_path, photo)
        found = sidecars.new_path(path, sidecars.SidecarStyle.ADOBE)
        assert found == tmp_path / f"{photo.rpartition('.')[0]}.xmp"
        found.touch()
        assert sidecars.find(path) == [sidecars.Sidecar(found)]

    @pytest.mark.parametrize(
        ("photo", "other"), [("IMG.JPG", "IMG.CR2"), ("IMG.gif", "IMG.png"), ("IMG.DNG", "IMG.CR2")]
    )
    def test_it_is_not_taken_where_it_would_be_anothers_too(self, tmp_path: Path, photo: str, other: str) -> None:
        path, _ = touch(tmp_path, photo, other)
        assert sidecars.new_path(path, sidecars.SidecarStyle.ADOBE) == tmp_path / f"{photo}.xmp"

    def test_of_a_raw_and_its_jpeg_the_raw_has_it(self, tmp_path: Path) -> None:
        raw, _ = touch(tmp_path, "IMG.CR2", "IMG.JPG")
        assert sidecars.new_path(raw, sidecars.SidecarStyle.ADOBE) == tmp_path / "IMG.xmp"


SOUND = DARKTABLE.format(rating=3)


def test_sound_ones_pass(tmp_path: Path) -> None:
    path = tmp_path / "a.xmp"
    for text in [SOUND, "<?xpacket begin='\ufeff'?>" + SOUND.split("?>", 1)[1] + "\n  <?xpacket end='w'?>  "]:
        path.write_text(text)
        sidecars.check(path)
    path.write_bytes(SOUND.replace("UTF-8", "UTF-16").encode("utf-16"))
    sidecars.check(path)


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        SOUND[:-20],
        SOUND.replace("</rdf:RDF>", ""),
        SOUND.replace("xmlns:foreign", "xmlns:foreigner"),
        SOUND.replace("<x:xmpmeta", BOMB + "<x:xmpmeta", 1),
        SOUND.replace("rdf-syntax-ns#", "other#"),
        SOUND + "\0",
        SOUND.replace("kept", "a & b"),
        SOUND.replace("UTF-8", "x-unknown"),
    ],
)
def test_damaged_ones_are_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.xmp"
    path.write_text(text)
    with pytest.raises(MetadataError, match="damaged") as caught:
        sidecars.check(path)
    assert caught.value.path == path


def test_a_link_to_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text(SOUND)
    link = tmp_path / "a.xmp"
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(MetadataError, match="symbolic link"):
        sidecars.check(link)


def test_what_a_rewriting_loses_is_noticed_however_it_is_put() -> None:
    old = SOUND.replace("<darktable:history>", "<!-- mine --><?app data?><darktable:history>")
    as_element = SOUND.replace('foreign:thing="kept"', "").replace(
        "<foreign:deep", "<foreign:thing>kept</foreign:thing><foreign:deep"
    )
    for text in (SOUND, as_element, SOUND.replace('xmp:Rating="3"', 'xmp:Rating="5"')):
        assert sidecars.lost(SOUND.encode(), text.encode()) == []
    for part, name in [
        ('foreign:thing="kept"', "thing = kept"),
        ('darktable:operation="sharpen"', "operation = sharpen"),
        ("<foreign:inner>1</foreign:inner>", "inner = 1"),
        ("<!-- mine -->", "comment =  mine "),
        ("<?app data?>", "instruction = app data"),
    ]:
        (missing,) = sidecars.lost(old.encode(), old.replace(part, "").encode())
        assert missing.rpartition("}")[2] == name
