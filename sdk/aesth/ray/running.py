"""Photos to a folder of Parquet files by workers of Ray: what `aesth score --engine ray` does, for programs."""

from __future__ import annotations

import logging
import os
import secrets
import sys
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from queue import Queue
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

from aesth.decode import DEFAULT_MAX_PIXELS
from aesth.errors import AesthError, ConfigError, ProviderError
from aesth.extras import needs_extra
from aesth.ray.locations import one_line, text_of
from aesth.ray.parts import Basis, Known, Parts, part_of
from aesth.ray.workers import PartWriter, encoded
from aesth.registry import find
from aesth.scale import DEFAULT_CUT_POINTS, CutPoints

PART_SIZE = 512
"""So many photos are in a part at most: two megabytes, and the work that is lost with a worker."""

SMALLEST_PART = 8
PARTS_PER_WORKER = 4
"""A short list of photos is divided so that every worker has a few parts."""

PARTS_AT_A_TIME = 32
"""So many parts for each worker are planned at a time; their last ones keep some workers waiting for others."""

_OBJECT_STORE = 256 << 20
_LOOPBACK_ONLY = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"


@dataclass(frozen=True)
class Cluster:
    """Which machines score, and with what.

    Attributes:
        address: of a Ray cluster, as ``ray.init`` takes it; None takes ``RAY_ADDRESS`` where that is set, and otherwise
            starts Ray on this machine alone, unreachable from others.
        workers: processes that score; None takes as many as there are CPUs for.
        threads: CPUs of each worker.
        gpus: GPUs of each worker; may be a fraction.
    """

    address: str | None = None
    workers: int | None = None
    threads: int = 1
    gpus: float = 0.0


@dataclass(frozen=True)
class Advance:
    """What a run has done since it told last, in numbers of photos.

    Attributes:
        found: that it is about.
        there: of those found, had a score in the folder before.
        scored: are in the folder now, with a score.
        failed: are in the folder now, with an error.
    """

    found: int = 0
    there: int = 0
    scored: int = 0
    failed: int = 0


@dataclass(frozen=True)
class _Plan:
    """Parts to be made, and which photos they are about."""

    parts: Sequence[tuple[str, Sequence[str]]]
    found: int
    there: int
    is_last: bool


def score_to_parquet(
    locations: Iterable[str],
    folder: str,
    *,
    model: str = "default",
    providers: Sequence[str] | None = None,
    jobs: int | None = None,
    cut_points: CutPoints = DEFAULT_CUT_POINTS,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    cluster: Cluster = Cluster(),
) -> Generator[Advance]:
    """Score photos into a folder of Parquet files, of the columns of `aesth.ray.tables`; each photo is in it once.

    Photos that have a score there already are passed over, and those that failed are tried again: a run that was
    stopped goes on where it was. Workers that die are replaced, and what they had begun is done by others. One run at a
    time may write to a folder.

    Args:
        locations: absolute paths, which every machine must see, and URLs; see `find_locations`.
        folder: a path or a URL.
        model: ``"default"``, a name of the registry, or the path of an ONNX file that every machine has.
        providers: execution providers, best first; None takes the CPU.
        jobs: photos that a worker decodes at a time; None takes as many as its threads.
        cut_points: scores at which a photo gets 2, 3, 4 and 5 stars.
        max_pixels: photos of more pixels are refused.
        cluster: which machines score. Where the caller has called ``ray.init``, those; the address is passed over then.

    Yields:
        What came of one part, or was found for many.

    Raises:
        AesthError: the run cannot begin, or cannot go on. What was scored until then stays.
    """
    options = {
        "model": model,
        "providers": providers,
        "threads": cluster.threads,
        "jobs": jobs,
        "cut_points": cut_points,
        "max_pixels": max_pixels,
    }
    parts = Parts(folder, Basis(find(model).tag, cut_points))
    parts.prepare()
    known = parts.known()
    source = iter(locations)
    there, left = _first_left(source, known)
    yield Advance(found=there, there=there)
    if left is None:
        return
    with _connected(cluster):
        workers = cluster.workers or _room(cluster)
        for plan in _ahead(_plans(chain([left], source), known, workers)):
            yield Advance(found=plan.found, there=plan.there)
            if plan.parts:
                yield from _score(plan.parts, parts, options, cluster, workers)
    parts.tidy()


@contextmanager
def _connected(cluster: Cluster) -> Iterator[None]:
    """Ray, the caller's own or for as long as this lasts; it tells nobody what it is used for."""
    is_loaded = "ray" in sys.modules
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    address = cluster.address or os.environ.get("RAY_ADDRESS")
    with _environment({} if address or is_loaded else _of_one_machine()):
        with needs_extra("cluster", "scoring on Ray"):
            import ray.data
        _quieten()
        if ray.is_initialized():
            yield
            return
        if is_loaded and not address:
            raise ConfigError("Ray is loaded, but not started: call ray.init(), or give the address of a cluster")
        with TemporaryDirectory(prefix="aesth-", ignore_cleanup_errors=True) as logs:
            try:
                _start(address, cluster, logs)
                yield
            finally:
                ray.shutdown()


def _start(address: str | None, cluster: Cluster, logs: str) -> None:
    import ray

    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if address:
            ray.init(address=address, **quiet)
        else:
            cpus = max(os.cpu_count() or 1, (cluster.workers or 1) * cluster.threads)
            ray.init(
                "local",
                num_cpus=cpus,
                include_dashboard=False,
                object_store_memory=_OBJECT_STORE,
                _temp_dir=logs,
                **quiet,
            )
    except Exception as error:  # Ray raises many classes here
        raise AesthError(f"Ray cannot be started, or reached at {address} ({one_line(error)})") from error
    if cluster.gpus and not address and ray.cluster_resources().get("GPU", 0) < cluster.gpus:
        raise ProviderError(f"this machine has no {cluster.gpus:g} GPUs that Ray can see; give an address, or fewer")


def _of_one_machine() -> Mapping[str, str]:
    """Settings of a Ray that only this program can reach; by default it listens to the network, and to everybody."""
    return {_LOOPBACK_ONLY: "0", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}


@contextmanager
def _environment(changes: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _quieten() -> None:
    import ray.data

    logging.getLogger("ray.data").setLevel(logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False


def _room(cluster: Cluster) -> int:
    """How many workers the machines have room for now."""
    import ray

    resources = ray.cluster_resources()
    room = resources.get("CPU", 1) // cluster.threads
    if cluster.gpus:
        room = min(room, resources.get("GPU", 0) // cluster.gpus)
    return max(int(room), 1)


def _first_left(locations: Iterator[str], known: Known) -> tuple[int, str | None]:
    """How many photos come before the first that has no score yet, and that one: without any, Ray need not start."""
    there = 0
    for location in locations:
        if text_of(location) not in known.done:
            return there, location
        there += 1
    return there, None


def _plans(locations: Iterable[str], known: Known, workers: int) -> Iterator[_Plan]:
    """Parts for the photos that have no score yet, so many at a time; those with photos that failed come last."""
    source = iter(locations)
    again: defaultdict[str, list[str]] = defaultdict(list)
    is_last = False
    while not is_last:
        new: list[str] = []
        found = there = 0
        while len(new) < workers * PARTS_AT_A_TIME * PART_SIZE:
            location = next(source, None)
            if location is None:
                is_last = True
                break
            found += 1
            text = text_of(location)
            if text in known.done:
                there += 1
                continue
            known.done.add(text)
            part = known.failed.pop(text, None)
            (new if part is None else again[part]).append(location)
        size = min(PART_SIZE, max(SMALLEST_PART, -(-len(new) // (workers * PARTS_PER_WORKER))))
        chunks = [new[begin : begin + size] for begin in range(0, len(new), size)]
        parts = [(part_of(chunk), chunk) for chunk in chunks]
        yield _Plan([*parts, *again.items()] if is_last else parts, found, there, is_last)


def _ahead(plans: Iterator[_Plan]) -> Iterator[_Plan]:
    """``plans``, each made while the one before is carried out; the first, which Ctrl-C may stop, in this thread."""
    plan = next(plans)
    while not plan.is_last:
        made: Queue[_Plan | BaseException] = Queue()

        def make(made: Queue[_Plan | BaseException] = made) -> None:
            try:
                made.put(next(plans))
            except BaseException as error:  # noqa: BLE001 - it is raised where it is awaited
                made.put(error)

        Thread(target=make, daemon=True).start()
        yield plan
        following = made.get()
        if isinstance(following, BaseException):
            raise following
        plan = following
    yield plan


def _score(
    tasks: Sequence[tuple[str, Sequence[str]]],
    parts: Parts,
    options: Mapping[str, Any],
    cluster: Cluster,
    workers: int,
) -> Iterator[Advance]:
    import ray.data

    rows = [{"part": part, "locations": encoded(locations)} for part, locations in tasks]
    pool = ray.data.ActorPoolStrategy(size=min(workers, len(rows)), max_tasks_in_flight_per_actor=2)
    try:
        done = ray.data.from_items(rows, override_num_blocks=len(rows)).map(
            PartWriter,
            fn_constructor_kwargs={"folder": parts.folder, "basis": parts.basis, "options": options},
            compute=pool,
            num_cpus=cluster.threads,
            num_gpus=cluster.gpus or None,
        )
        for row in done.iter_rows():
            yield Advance(scored=int(row["scored"]), failed=int(row["failed"]))
    except AesthError:
        raise
    except Exception as error:
        raise _translated(error) from error


def _translated(error: BaseException) -> AesthError:
    """The error of this package that stopped a worker; else one that says what Ray says."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, AesthError):
            return cause
        cause = getattr(cause, "cause", None) or cause.__cause__
    return AesthError(f"the run stopped ({one_line(error)}); the same command goes on where it was")
