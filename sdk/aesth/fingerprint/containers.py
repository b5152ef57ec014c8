"""Image data in files that are a row of labelled parts: JPEG, PNG, WebP."""

from __future__ import annotations

from aesth.decode import mpf
from aesth.fingerprint.source import Blocks, Source, Unsure

_START_OF_SCAN = 0xDA
_APP0, _APP1, _APP2, _APP14, _APP15, _COMMENT = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE
_PROFILE = b"ICC_PROFILE\0"
_WITHOUT_LENGTH = frozenset({0x00, 0x01, *range(0xD0, 0xDA)})

_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_PNG_XMP = b"XML:com.adobe.xmp\0\0\0"
_HARMLESS_TEXTS = (
    *(b"Title", b"Author", b"Description", b"Copyright", b"Creation Time", b"Software", b"Disclaimer", b"Warning"),
    *(b"Source", b"Comment", b"Raw profile type iptc", b"Raw profile type xmp"),
)
"""Keywords of texts that are never more than that; Pillow takes some others for settings of the decoder."""

_ANIMATION, _ALPHA, _PROFILED = 0x02, 0x10, 0x20


def digest_jpeg(source: Source) -> Blocks:
    """Every segment but application data and comments, and all from the first scan to the end of the file.

    Of application data, those of JFIF, Adobe's and colour profiles count, since they tell what the numbers mean, and
    where previews lie, since they are decoded in place of the picture.
    """
    previews: list[tuple[int, int]] = []
    source.skip(2)
    while True:
        marker = _jpeg_marker(source)
        if marker == _START_OF_SCAN:
            for start_of_preview, size in previews:
                source.note(start_of_preview - source.position, size)
            source.feed_rest()
            return Blocks()
        length = source.number(2) - 2
        if length < 0:
            raise Unsure
        start = source.read(min(length, len(_PROFILE)))
        if marker == _APP2 and start.startswith(mpf.NAME):
            base = source.position - len(start) + len(mpf.NAME)
            directory = start[len(mpf.NAME) :] + source.read(length - len(start))
            previews = [(base + preview.start, preview.size) for preview in mpf.previews(directory)]
        elif _is_jpeg_metadata(marker, start):
            source.skip(length - len(start))
        else:
            source.note(marker, length, start)
            source.feed(length - len(start))


def _jpeg_marker(source: Source) -> int:
    if source.read(1) != b"\xff":
        raise Unsure
    marker = source.number(1)
    while marker == 0xFF:
        marker = source.number(1)
    if marker in _WITHOUT_LENGTH:
        raise Unsure
    return marker


def _is_jpeg_metadata(marker: int, start: bytes) -> bool:
    if marker == _APP2:
        return start != _PROFILE
    return marker == _COMMENT or (_APP1 <= marker <= _APP15 and marker != _APP14)


def digest_png(source: Source) -> Blocks:
    """Every chunk but texts, EXIF, XMP and the time, to the end of the file.

    Texts that may be more than that come last, since programs move texts about.
    """
    found: dict[str, bytes] = {}
    texts: list[bytes] = []
    source.skip(8)
    while True:
        length = source.number(4)
        kind = source.read(4)
        if kind == b"tIME":
            source.skip(length + 4)
        elif kind == b"eXIf":
            _keep(found, "exif", b"Exif\0\0" + source.read(length))
            source.skip(4)
        elif kind in _TEXTS:
            body = source.read(length)
            source.skip(4)
            if kind == b"iTXt" and body.startswith(_PNG_XMP):
                _keep(found, "xmp", body[len(_PNG_XMP) :].split(b"\0", 2)[-1])
            elif body.partition(b"\0")[0] not in _HARMLESS_TEXTS:
                texts.append(kind + body)
        else:
            source.note(length, kind)
            source.feed(length + 4)
        if kind == b"IEND":
            source.feed_rest()
            for text in texts:
                source.note(len(text), text)
            return Blocks(found.get("exif"), found.get("xmp"))


def digest_webp(source: Source) -> Blocks:
    """Every chunk but EXIF and XMP; of the header of an extended file, what matters for the chunks that are there.

    Lossless pictures tell of their transparency themselves, and ExifTool makes headers that do not.
    """
    kinds = set()
    header = bytes(10)
    source.skip(12)
    while source.position < source.size:
        kind = source.read(4)
        length = source.number(4, "little")
        padding = min(length & 1, max(0, source.size - source.position - length))
        kinds.add(kind)
        if kind in (b"EXIF", b"XMP "):
            source.skip(length + padding)
        elif kind == b"VP8X":
            header = source.read(length)
            if length != 10:
                raise Unsure
        else:
            source.note(length, kind)
            source.feed(length + padding)
    relevant = _ANIMATION | (_ALPHA if b"ALPH" in kinds else 0) | (_PROFILED if b"ICCP" in kinds else 0)
    source.note(header[0] & relevant, header[4:] if header[0] & _ANIMATION else b"")
    return Blocks()


def _keep(found: dict[str, bytes], name: str, block: bytes) -> None:
    if name in found:
        raise Unsure  # programs do not agree on which of two counts
    found[name] = block
