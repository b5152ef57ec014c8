"""Photos to rate, and the other programs that read what we wrote: ExifTool on its own, exiv2, pillow-heif."""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import exiftool as pyexiftool
import numpy as np
import pillow_heif
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from aesth.metadata import NewRating
from aesth.metadata.exiftool import CONFIG, ExifTool

pillow_heif.register_heif_opener()

EMBEDDED = ("jpg", "png", "tif", "webp", "heic", "avif")
DATE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NEW = NewRating(4, 87.125, "base-int8 0123abcd", DATE)

DARKTABLE = """<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:darktable="http://darktable.sf.net/"
    xmlns:foreign="urn:somebody:else/"
   xmp:Rating="{rating}"
   foreign:thing="kept"
   darktable:xmp_version="5"
   darktable:history_end="2">
   <foreign:deep rdf:parseType="Resource"><foreign:inner>1</foreign:inner></foreign:deep>
   <darktable:history>
    <rdf:Seq>
     <rdf:li darktable:num="0" darktable:operation="exposure" darktable:enabled="1"
      darktable:params="gz02eJxjYGBgYAFiCQYYOOHEgAZY0QVwggZ7CB6pfNoAAEEIGQ8="/>
     <rdf:li darktable:num="1" darktable:operation="sharpen" darktable:enabled="0" darktable:params="00"/>
    </rdf:Seq>
   </darktable:history>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""


def make_photo(path: Path, brightness: float = 50) -> Path:
    """A photo of the kind of its extension, grey on the whole, ``brightness`` percent of white."""
    pixels = np.full((48, 64, 3), round(brightness * 2.55), np.uint8)
    pixels[::2], pixels[1::2] = pixels[::2] + 1, pixels[1::2] - 1
    options: dict[str, Any] = {"quality": 95} if path.suffix != ".webp" else {"lossless": True}
    kinds = {".jpg": "JPEG", ".tif": "TIFF", ".heic": "HEIF"}
    Image.fromarray(pixels).save(path, kinds.get(path.suffix.lower(), path.suffix[1:].upper()), **options)
    return path


def make_rich_photos(*paths: Path) -> list[Path]:
    """Photos with a good deal of other metadata: EXIF, GPS, a maker's note, IPTC where it fits, XMP of many kinds."""
    photos = [make_photo(path) for path in paths]
    exiftool(
        "-overwrite_original",
        *("-IFD0:Make=Maker", "-IFD0:Artist=Ann Ö", "-ExifIFD:DateTimeOriginal=2020:01:02 03:04:05"),
        *("-GPSLatitude=47.5", "-GPSLatitudeRef=N", "-ExifIFD:UserComment=a comment"),
        *("-XMP-dc:Subject=one", "-XMP-dc:Subject=two", "-XMP-dc:Title=A title", "-XMP-lr:HierarchicalSubject=a|b"),
        *("-XMP-crs:Exposure2012=+0.5", "-XMP-digiKam:ColorLabel=3", "-XMP-photoshop:City=Ort"),
        *photos,
    )
    return photos


def exiftool(*arguments: str | Path) -> str:
    """What the plain ExifTool says, with our namespace known."""
    output, status = plain_exiftool(os.geteuid()).ask(*arguments)
    assert status == 0, output
    return output.decode()


class PlainExifTool:
    """ExifTool by pyexiftool itself, kept open over all tests, since its start takes longer than what it is asked."""

    def __init__(self) -> None:
        self._process = pyexiftool.ExifTool(common_args=None, config_file=CONFIG)
        self._process.run()
        atexit.register(self._process.terminate)

    def ask(self, *arguments: str | Path) -> tuple[bytes, int]:
        """What it prints, and its exit status."""
        lines = [*map(os.fspath, arguments)]
        assert not any("\n" in line for line in lines), "this way of asking takes a line for an argument"
        output = self._process.execute(*lines, raw_bytes=True)
        return output, self._process.last_status


@functools.cache
def plain_exiftool(user: int) -> PlainExifTool:
    """That of ``user``, who is the one that asks: what it writes belongs to them."""
    assert user == os.geteuid()
    return PlainExifTool()


def process_of(exiftool: ExifTool) -> subprocess.Popen[bytes]:
    """The process that is kept open now."""
    assert exiftool._process is not None
    process: subprocess.Popen[bytes] = exiftool._process._process
    return process


def tags(path: Path) -> dict[str, Any]:
    """All tags of a file that ExifTool can tell, by group and name."""
    return next(iter(tags_below(path).values()), {})


def tags_below(*paths: Path) -> dict[Path, dict[str, Any]]:
    """The same of several files, and of all files below folders."""
    output, _ = plain_exiftool(os.geteuid()).ask("-j", "-G1", "-a", "-u", "-b", "-r", *paths)
    return {Path(found["SourceFile"]): found for found in json.loads(output or b"[]")}


def exiv2(path: Path) -> dict[str, str]:
    """All that exiv2, the library of digiKam and darktable, reads in a file."""
    if shutil.which("exiv2") is None:
        pytest.skip("needs exiv2: apt-get install exiv2")
    output = subprocess.run(["exiv2", "-PEXkt", path], capture_output=True, text=True, check=False).stdout
    return dict(line.split(maxsplit=1) if " " in line else (line, "") for line in output.splitlines())


def frames(path: Path) -> list[NDArray[np.uint8]]:
    """The decoded pixels of every frame of a picture."""
    with Image.open(path) as image:
        return [np.asarray(frame.copy()) for frame in ImageSequence.Iterator(image)]


def rate_by_hand(path: Path, *arguments: str) -> None:
    """Do what another program would: write ``arguments`` into a photo or a sidecar."""
    exiftool("-n", "-overwrite_original", *arguments, path)


def rate_by_exiv2(path: Path, stars: int) -> None:
    """Rate a photo as digiKam and darktable do, whose library this is; it starts ten times as fast as ExifTool."""
    if shutil.which("exiv2") is None:
        pytest.skip("needs exiv2: apt-get install exiv2")
    subprocess.run(["exiv2", "-M", f"set Xmp.xmp.Rating {stars}", path], check=True)


OUR_KEYS = {
    *("XMP-xmp:Rating", "IFD0:Rating", "IFD0:RatingPercent", "XMP-microsoft:RatingPercent"),
    *("XMP-aesth:Score", "XMP-aesth:Rating", "XMP-aesth:Model", "XMP-aesth:Date"),
}
MANDATORY = {"IFD0:XResolution", "IFD0:YResolution", "IFD0:ResolutionUnit", "IFD0:YCbCrPositioning"}
STRUCTURE = {
    *("XMP-x:XMPToolkit", "XMP-xmpNote:HasExtendedXMP", "File:ExifByteOrder", "RIFF:WebP_Flags", "File:FileType"),
    *("QuickTime:MediaData", "QuickTime:MediaDataSize", "QuickTime:MediaDataOffset", "PNG:Warning"),
}
POSITIONS = ("Offset", "Offsets", "Start", "ChunkOffset")


def differences(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """Tags that a write changed beyond what it must: our keys, what EXIF makes mandatory, positions and sizes."""
    changed = {key for key in {*before, *after} if before.get(key) != after.get(key)}
    added_mandatory = {key for key in MANDATORY if key not in before}
    return {
        key
        for key in changed - OUR_KEYS - STRUCTURE - added_mandatory
        if not key.startswith(("System:", "ExifTool:")) and key != "SourceFile" and not key.endswith(POSITIONS)
    }
