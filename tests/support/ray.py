"""Rows of Parquet folders, who listens to the network, and workers that a photo kills.

``python -m support.ray MODEL FOLDER LOCATION...`` is a program that has such workers.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any


def rows_in(folder: Path | str) -> list[dict[str, Any]]:
    """The rows of all parts in a folder."""
    import fsspec
    import pyarrow.parquet

    storage, root = fsspec.url_to_fs(str(folder))
    parts = [path for path in sorted(storage.ls(root, detail=False)) if path.endswith(".parquet")]
    tables = [pyarrow.parquet.read_table(BytesIO(storage.cat_file(path))) for path in parts]
    return [row for table in tables for row in table.to_pylist()]


def main(model: str, folder: str, locations: list[str]) -> None:
    """Fork workers that score a part, one after the other, until one of them lives."""
    import fsspec

    from aesth.ray.parts import Basis, part_of
    from aesth.ray.workers import PartWriter, encoded
    from aesth.registry import find
    from aesth.scale import DEFAULT_CUT_POINTS

    class DeadlyStorage(fsspec.AbstractFileSystem):  # type: ignore[misc]
        """Where every photo kills who reads it."""

        def get_file(self, *_: object, **__: object) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

    fsspec.register_implementation("deadly", DeadlyStorage)
    basis = Basis(find(model).tag, DEFAULT_CUT_POINTS)
    for workers in range(1, 9):
        worker = os.fork()
        if not worker:
            writer = PartWriter(folder, basis, {"model": model})
            writer({"part": part_of(locations), "locations": encoded(locations)})
            writer.close()
            os._exit(0)
        if os.waitpid(worker, 0)[1] == 0:
            print(f"{workers} workers")
            return


def listening_to_others(process: int) -> set[str]:
    """Addresses, as of /proc/net, at which a process or those below it listen to more than this machine."""
    inodes = {inode for child in family(process) for inode in sockets_of(child)}
    lines = (line.split() for name in ("tcp", "tcp6") for line in Path("/proc/net", name).read_text().splitlines()[1:])
    listening = {fields[1] for fields in lines if fields[3] == "0A" and fields[9] in inodes}
    assert listening, "Ray listens somewhere"
    return {address for address in listening if not address.rpartition(":")[0].endswith(("0100007F", "01000000"))}


def family(process: int) -> set[int]:
    """A process and those below it."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = {process}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def sockets_of(process: int) -> set[str]:
    """Inodes of the sockets that a process has open."""
    found = set()
    for descriptor in Path(f"/proc/{process}/fd").iterdir():
        with suppress(OSError):
            found.add(str(descriptor.readlink()).removeprefix("socket:[").removesuffix("]"))
    return found


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
