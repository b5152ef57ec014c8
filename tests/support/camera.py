"""Photos as cameras and phones make them: with a maker's note, previews, films, maps and profiles inside."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

from PIL import Image, ImageCms

from support.metadata import exiftool, make_photo
from support.photos import encode, noise, scene

ASIDE = "aside"
Arguments: TypeAlias = tuple[str, ...]
Maker: TypeAlias = Callable[[Path], Arguments]

FILM = struct.pack(">I", 24) + b"ftypmp42\0\0\0\0mp42isom" + struct.pack(">I", 4008) + b"mdat" + b"film" * 1000
"""A film as a motion photo has it behind the picture: boxes of MP4."""

_EVERYWHERE = (
    *(
        "-IFD0:Make=Canon",
        "-IFD0:Model=Canon EOS",
        "-IFD0:Artist=Ann Ö",
        "-ExifIFD:DateTimeOriginal=2020:01:02 03:04:05",
    ),
    *("-ExifIFD:UserComment=a comment", "-ExifIFD:LensModel=50mm"),
    *("-GPSLatitude=47.5", "-GPSLatitudeRef=N", "-GPSLongitude=8.25", "-GPSLongitudeRef=E", "-GPSAltitude=400"),
    *("-XMP-dc:Subject=one", "-XMP-dc:Subject=two", "-XMP-dc:Title=A title", "-XMP-crs:Exposure2012=+0.5"),
)
_IPTC = ("-IPTC:Keywords=one", "-IPTC:Caption-Abstract=A caption", "-IPTC:City=Ort")


def profile() -> bytes:
    """An ICC profile."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def with_makers_note(path: Path) -> Arguments:
    """A JPEG with a maker's note as Canon makes it, whose values lie at offsets that count from EXIF's start."""
    owner, kind = b"Owner of the camera, at some length\0", b"IMG:EOS JPEG\0"
    note = bytearray(struct.pack("<H", 2))
    at = 2 + 2 * 12 + 4
    for tag, text in ((6, kind), (9, owner)):
        note += struct.pack("<HHII", tag, 2, len(text), at)
        at += len(text)
    note += b"\0\0\0\0" + kind + owner
    exif = Image.Exif()
    exif.endian = "<"
    exif[0x010F], exif[0x0110] = "Canon", "Canon EOS"
    exif.get_ifd(0x8769)[0x927C] = bytes(note)
    block = bytearray(exif.tobytes())
    start = block.index(bytes(note))
    for entry in range(2):  # Pillow lays out EXIF, so that the offsets are known only now
        field = start + 2 + 12 * entry + 8
        (relative,) = struct.unpack_from("<I", block, field)
        struct.pack_into("<I", block, field, relative + start - len(b"Exif\0\0"))
    path.write_bytes(encode(scene(), exif=bytes(block)))
    return ()


def with_thumbnail(path: Path) -> Arguments:
    """A JPEG with a thumbnail, a colour profile and IPTC."""
    path.write_bytes(encode(noise(), icc_profile=profile()))
    thumbnail = _aside(path, "thumbnail", encode(scene(24, 32)))
    return (*_EVERYWHERE, *_IPTC, f"-ThumbnailImage<={thumbnail}")


def with_two_pictures(path: Path) -> Arguments:
    """A JPEG that is followed by another, which its MPF segment points to."""
    file = BytesIO()
    Image.fromarray(scene()).save(file, "MPO", save_all=True, append_images=[Image.fromarray(noise())], quality=95)
    path.write_bytes(file.getvalue())
    return _EVERYWHERE


def with_film(path: Path) -> Arguments:
    """A motion photo: a JPEG that is followed by a film, as its XMP tells."""
    make_photo(path)
    packet = _xmp(
        "xmlns:GCamera='http://ns.google.com/photos/1.0/camera/' GCamera:MicroVideo='1'"
        f" GCamera:MicroVideoVersion='1' GCamera:MicroVideoOffset='{len(FILM)}'"
    )
    path.write_bytes(with_packet(path.read_bytes(), packet) + FILM)
    return _EVERYWHERE


def with_gain_map(path: Path) -> Arguments:
    """Ultra HDR: a JPEG that is followed by its gain map, as MPF and XMP tell."""
    file = BytesIO()
    gains = Image.fromarray(scene(12, 16)).convert("L")
    Image.fromarray(scene()).save(file, "MPO", save_all=True, append_images=[gains], quality=95)
    packet = _xmp(
        "xmlns:hdrgm='http://ns.adobe.com/hdr-gain-map/1.0/' hdrgm:Version='1.0'",
        "<Container:Directory xmlns:Container='http://ns.google.com/photos/1.0/container/'"
        " xmlns:Item='http://ns.google.com/photos/1.0/container/item/'><rdf:Seq>"
        "<rdf:li rdf:parseType='Resource'><Container:Item Item:Semantic='Primary' Item:Mime='image/jpeg'/></rdf:li>"
        "<rdf:li rdf:parseType='Resource'><Container:Item Item:Semantic='GainMap' Item:Mime='image/jpeg'"
        " Item:Length='700'/></rdf:li></rdf:Seq></Container:Directory>",
    )
    path.write_bytes(file.getvalue())
    return (f"-XMP<={_aside(path, 'packet', packet)}",)


def with_depth_map(path: Path) -> Arguments:
    """A JPEG with a depth map in its XMP, which is so large that it goes into extended XMP."""
    make_photo(path)
    depth = _aside(path, "depth", encode(noise(200, 200), quality=100))
    return ("-XMP-GDepth:Format=RangeInverse", f"-XMP-GDepth:DepthImage<={depth}")


def with_profile(path: Path) -> Arguments:
    """A photo of another kind with a colour profile, GPS, and whatever else it can hold."""
    form = {".tif": "TIFF", ".heic": "HEIF"}.get(path.suffix, path.suffix[1:].upper())
    thumbnails = {"thumbnails": [16]} if form == "HEIF" else {}
    path.write_bytes(encode(scene(), form, icc_profile=profile(), **thumbnails))
    return (*_EVERYWHERE, *(_IPTC if form == "TIFF" else ()))


MAKERS: Mapping[str, Maker] = {
    "makers-note.jpg": with_makers_note,
    "thumbnail.jpg": with_thumbnail,
    "mpf.jpg": with_two_pictures,
    "motion.jpg": with_film,
    "gain-map.jpg": with_gain_map,
    "depth-map.jpg": with_depth_map,
    **{f"profile.{kind}": with_profile for kind in ("png", "tif", "webp", "heic", "avif")},
}
"""Names of photos -> what makes them, and tells what ExifTool is to add."""


def make_camera_photos(folder: Path) -> list[Path]:
    """All of `MAKERS` in a folder."""
    aside = folder / ASIDE
    aside.mkdir()
    photos = [folder / name for name in MAKERS]
    for photo in photos:
        if added := MAKERS[photo.name](photo):
            exiftool("-overwrite_original", *added, photo)
    shutil.rmtree(aside)
    return photos


def _xmp(attributes: str, inner: str = "") -> bytes:
    rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    return (
        f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='{rdf}'>"
        f"<rdf:Description rdf:about='' {attributes}>{inner}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def _aside(photo: Path, name: str, content: bytes) -> Path:
    """A file for ExifTool to read, in the folder that is removed after."""
    path = photo.parent / ASIDE / f"{photo.stem}-{name}"
    path.write_bytes(content)
    return path


def with_packet(jpeg: bytes, packet: bytes) -> bytes:
    """A JPEG with an XMP packet of our making, sound or not."""
    body = b"http://ns.adobe.com/xap/1.0/\0" + packet
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]
