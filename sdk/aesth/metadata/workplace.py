"""A private folder in which photos have short names of ours, so that no name of theirs ever reaches ExifTool."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import BoundedSemaphore

from aesth.errors import MetadataError
from aesth.metadata import formats
from aesth.metadata.exiftool import ExifTool
from aesth.metadata.ratings import ALSO_READ_KEYS, READ_KEYS

Tags = Mapping[str, object]

_UTF_16 = {b"\0<": "utf-16-be", b"<\0": "utf-16-le"}
_BASE64 = "base64:"
_BLOCKS = ("XMP", "EXIF")
_NOTHING_UNASKED = ("-e", "-api", "IgnoreTags=All")
"""Neither to make tags of others, nor to keep any but those asked for, which are looked for among all that are kept."""

_NOTHING_OF_MAKERS = "-fast2"
"""Not to read the notes of makers, nor what follows a picture."""

_PLAIN_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,8}")


@dataclass(frozen=True)
class Content:
    """What a file holds of metadata.

    Attributes:
        tags: those that concern ratings, and the type; none where ExifTool cannot open the file.
        xmp: the packet that is embedded in it, in UTF-8, without space around it; nothing where there is none.
        exif_size: bytes of its block of EXIF.
    """

    tags: Tags
    xmp: bytes
    exif_size: int


@dataclass(frozen=True)
class Workplace:
    """The private folder, and the ExifTool that runs in it."""

    folder: Path
    exiftool: ExifTool

    def alias(self, name: str, target: Path) -> str:
        """The argument by which ExifTool reaches ``target``: a link called ``name``.

        Raises:
            MetadataError: this system has no links, and the real name cannot be told to ExifTool safely.
        """
        link = self.folder / name
        absolute = os.path.abspath(target)  # noqa: PTH100 - the link must lead where the caller means
        try:
            _link(link, absolute)
        except OSError as error:
            if os.name == "posix":
                reason = f"the folder {self.folder} cannot be used ({error.strerror})"
                raise MetadataError(
                    f"nothing was written, {reason}: free some space there, or name another in TMPDIR", target
                ) from error
            if not absolute.isprintable():
                raise MetadataError("this name cannot be told to ExifTool; rename the file", target) from error
            return absolute
        return name

    def read_tags(self, files: Iterable[Path], also: Sequence[str] = ()) -> list[Tags | None]:
        """The tags that concern ratings, the type, and those of ``also``, as they stand there.

        None for a file that ExifTool cannot open.
        """
        # Those of ``also`` may be made of others, which takes ExifTool as long as reading a photo does.
        return self._read(files, also, [] if also else _NOTHING_UNASKED)

    def read_content(self, file: Path) -> Content:
        """All that a write compares."""
        (content,) = self.read_contents([file], simple=formats.is_simple_jpeg(file))
        return content or Content({}, b"", 0)

    def read_contents(self, files: Sequence[Path], *, simple: bool) -> list[Content | None]:
        """The same of several files, with their metadata in memory at one time.

        Args:
            files: the files.
            simple: all are JPEGs for which `formats.is_simple_jpeg` vouches.

        Returns:
            None for a file that ExifTool cannot open.
        """
        found = self._read(files, _BLOCKS, ["-b", *_NOTHING_UNASKED, *([_NOTHING_OF_MAKERS] if simple else [])])
        return [None if tags is None else self._as_content(file, tags) for file, tags in zip(files, found, strict=True)]

    def _as_content(self, file: Path, found: Tags) -> Content:
        tags = dict(found)
        blocks = [[tags.pop(key) for key in found if key.endswith(f":{kind}")] for kind in _BLOCKS]
        if any(str(value).startswith(_BASE64) for value in tags.values()):
            # Text that is no UTF-8, which ExifTool mends where it is not asked for blocks.
            tags = dict(self.read_tags([file])[0] or {})
        packet, exif = (_as_bytes(values[0]) if values else b"" for values in blocks)
        return Content(tags, _as_packet(packet), len(exif))

    def _read(self, files: Iterable[Path], also: Iterable[str], options: Iterable[str]) -> list[Tags | None]:
        names = [self.alias(f"r{number}{plain_extension(file)}", file) for number, file in enumerate(files)]
        if not names:
            return []
        keys = {*READ_KEYS, *ALSO_READ_KEYS, "File:FileType", *also}
        # By name, in whatever group: ExifTool looks through all that it found for each that it is asked for.
        wanted = sorted({f"-{_name(key)}" for key in keys})
        try:
            reply = self.exiftool.run(["-j", "-G1", "-a", "-n", *options, *wanted, *names])
        finally:
            for name in names:
                self.forget(name)
        found = {str(tags["SourceFile"]): tags for tags in _parse(reply.output)}
        read = (found.get(name.replace("\\", "/")) for name in names)
        return [tags and {key: tags[key] for key in tags if not keys.isdisjoint((key, _name(key)))} for tags in read]

    def forget(self, name: str) -> None:
        """Remove the link called ``name``, if it is one."""
        if not Path(name).is_absolute():
            with suppress(FileNotFoundError):
                (self.folder / name).unlink()


class Workplaces:
    """Workplaces for as many threads at a time, each with an ExifTool of its own; none is made while one is free.

    Args:
        first: the first one; the folders of the others lie in its.
        most: how many there may be.
    """

    def __init__(self, first: Workplace, most: int) -> None:
        self.most = most
        self.first = first
        self._all = [first]
        self._free = [first]
        self._turns = BoundedSemaphore(most)
        self._numbers = count(1)

    @contextmanager
    def one(self) -> Iterator[Workplace]:
        """A workplace that nobody else has meanwhile; waits while all are in use."""
        with self._turns:
            try:
                workplace = self._free.pop()
            except IndexError:
                workplace = self._make()
            try:
                yield workplace
            finally:
                self._free.append(workplace)

    def close(self) -> None:
        """End every ExifTool, none of which may be in use."""
        for workplace in self._all:
            workplace.exiftool.close()

    def stop(self) -> None:
        """End every ExifTool in the middle of what it does; none starts anew before `resume`."""
        for workplace in [*self._all]:
            workplace.exiftool.stop()

    def resume(self) -> None:
        """Let every ExifTool start anew when it is asked for something."""
        for workplace in [*self._all]:
            workplace.exiftool.resume()

    def _make(self) -> Workplace:
        folder = self.first.folder / f"{next(self._numbers)}"
        folder.mkdir(mode=0o700)
        first = self.first.exiftool
        workplace = Workplace(folder, ExifTool(first.program, folder, first.greet))
        self._all.append(workplace)
        return workplace


def _link(link: Path, target: str) -> None:
    try:
        link.symlink_to(target)
    except FileExistsError:
        if os.fspath(link.readlink()) != target:
            link.unlink()
            link.symlink_to(target)


def _name(key: str) -> str:
    """The name of a tag without its group."""
    return key.rpartition(":")[2]


def plain_extension(path: Path) -> str:
    """The extension, if it is a plain one; ExifTool uses it to tell kinds of files apart."""
    return path.suffix if _PLAIN_EXTENSION.fullmatch(path.suffix) else ""


def _as_bytes(block: object) -> bytes:
    """A block of metadata of what stands for it in JSON."""
    text = str(block)
    return base64.b64decode(text[len(_BASE64) :]) if text.startswith(_BASE64) else text.encode("utf-8", "surrogatepass")


def _as_packet(block: bytes) -> bytes:
    """A block of XMP, in UTF-8 whatever it was in."""
    encoding = _UTF_16.get(block[:2])
    if encoding:
        block = block.decode(encoding, "replace").encode("utf-8", "replace")
    return block.strip(b"\0 \t\r\n")


def _parse(output: bytes) -> list[Tags]:
    text = output.decode("utf-8", "replace").strip()
    if not text:
        return []
    try:
        parsed: list[Tags] = json.loads(text, strict=False, parse_int=str, parse_float=str)
    except ValueError as error:
        raise MetadataError(f"ExifTool's answer cannot be understood ({error})") from error
    return parsed
