"""A program that decodes pictures which claim a giant size: ``bombs.py FOLDER``.

Prints why each is refused, and then by how many MB the process grew over it and over a sound photo whose preview
claims such a size.
"""

from __future__ import annotations

import resource
import struct
import sys
from pathlib import Path

from aesth.decode import load
from aesth.decode.quiet import quiet_decoders
from aesth.errors import DecodeError
from support.photos import dng, encode, png, scene
from support.previews import of_size, with_pictures

SIDE = 60_000


def bombs() -> dict[str, bytes]:
    """Small files of every format with a header of `SIDE` times `SIDE` pixels, or of as many as it can tell."""
    jpeg, tiff, webp, gif = (encode(scene(), form) for form in ("JPEG", "TIFF", "WEBP", "GIF"))
    lossless = webp.index(b"VP8L") + 9
    raw = dng(scene(), preview=None)
    return {
        "a.jpg": of_size(jpeg, SIDE, SIDE),
        "a.png": png(SIDE, SIDE),
        "a.tif": _larger(tiff),
        "a.webp": webp[:lossless] + struct.pack("<I", (1 << 28) - 1) + webp[lossless + 4 :],
        "a.gif": gif[:6] + struct.pack("<HH", SIDE, SIDE) + gif[10:],
        "a.dng": _larger(raw),
    }


def _larger(tiff: bytes) -> bytes:
    """A little-endian TIFF of which each directory claims the giant size."""
    for tag in (256, 257):
        for kind in (3, 4):
            entry = struct.pack("<HHI", tag, kind, 1)
            at = tiff.find(entry)
            if at >= 0:
                tiff = tiff[:at] + struct.pack("<HHII", tag, 4, 1, SIDE) + tiff[at + 12 :]
    return tiff


def load_by_preview(folder: Path, content: bytes) -> None:
    """Decode a photo by its preview, if that is of use."""
    path = folder / "previewed.jpg"
    path.write_bytes(content)
    load(path, at_least=(20, 20), previews=True)


def main() -> None:
    """Decode them, after a sound one of each format that has loaded the decoders."""
    folder = Path(sys.argv[1])
    for name, form in {"a.jpg": "JPEG", "a.png": "PNG", "a.tif": "TIFF", "a.webp": "WEBP", "a.gif": "GIF"}.items():
        (folder / name).write_bytes(encode(scene(), form))
        load(folder / name)
    (folder / "a.dng").write_bytes(dng(scene()))
    load(folder / "a.dng")
    photo, preview = encode(scene(240, 320)), encode(scene(60, 80))
    load_by_preview(folder, with_pictures(photo, [preview]))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name, content in bombs().items():
        (folder / name).write_bytes(content)
        try:
            with quiet_decoders():
                load(folder / name)
        except DecodeError as error:
            sys.stdout.write(f"{name}: {error.message}\n")
    load_by_preview(folder, with_pictures(photo, [of_size(preview, SIDE, SIDE * 3 // 4)]))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    sys.stdout.write(f"{grown / (1 << 20 if sys.platform == 'darwin' else 1 << 10):.1f}\n")


if __name__ == "__main__":
    main()
