"""Photos to a folder of Parquet files by workers of Ray: what `aesth score --engine ray` does, for programs."""

from __future__ import annotations

import logging
import os
import secrets
import signal
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain
from tempfile import TemporaryDirectory
from threading import current_thread, main_thread
from typing import Any

from aesth.cores import usable_cores
from aesth.decode import DEFAULT_MAX_PIXELS
from aesth.encoder import DIMENSIONS
from aesth.errors import AesthError, ConfigError, ProviderError
from aesth.extras import needs_extra
from aesth.ray.locations import one_line
from aesth.ray.parts import Basis, Parts
from aesth.ray.plans import ahead, first_left, plans
from aesth.ray.workers import PartWriter, encoded, raise_problem
from aesth.registry import find
from aesth.scale import DEFAULT_CUT_POINTS, CutPoints
from aesth.taste import Taste

_LOOPBACK = ("127.0.0.1", "::1")
_STARTS = 2
"""Ray gives up a start that takes half a minute, as it may on a machine that is busy."""

_OBJECT_STORE = 256 << 20


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


def score_to_parquet(
    locations: Iterable[str],
    folder: str,
    *,
    model: str = "default",
    providers: Sequence[str] | None = None,
    jobs: int | None = None,
    cut_points: CutPoints = DEFAULT_CUT_POINTS,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    previews: bool = True,
    taste: Taste | None = None,
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
        previews: score photos by previews that cameras store in them, where these show the same.
        taste: of the person to score for; None scores by what people like in common.
        cluster: which machines score. Where the caller has called ``ray.init``, those; the address is passed over then.

    Yields:
        What came of one part, or was found for many.

    Raises:
        AesthError: the run cannot begin, or cannot go on. What was scored until then stays.
    """
    file = find(model)
    options = {
        "model": str(file.path.absolute()) if model.lower().endswith(".onnx") else model,
        "providers": providers,
        "threads": cluster.threads,
        "jobs": jobs,
        "cut_points": cut_points,
        "max_pixels": max_pixels,
        "previews": previews,
        "taste": taste,
    }
    if taste is not None:
        taste.refuse_other(file.tag, DIMENSIONS)
    tag = file.tag if taste is None else f"{file.tag} {taste.tag}"
    parts = Parts(folder, Basis(tag, cut_points, previews))
    parts.prepare()
    known = parts.known()
    source = iter(locations)
    there, left = first_left(source, known)
    yield Advance(found=there, there=there)
    if left is None:
        return
    with connected(cluster):
        workers = cluster.workers or _room(cluster)
        for plan in ahead(plans(chain([left], source), known, workers)):
            yield Advance(found=plan.found, there=plan.there)
            if plan.parts:
                yield from _score(plan.parts, parts, options, cluster, workers)
    parts.tidy()


@contextmanager
def connected(cluster: Cluster) -> Iterator[None]:
    """Ray, the caller's own or for as long as this lasts; it tells nobody what it is used for."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    address = cluster.address or os.environ.get("RAY_ADDRESS")
    with ExitStack() as stack:
        if not address:
            scratch = stack.enter_context(TemporaryDirectory(prefix="aesth-", ignore_cleanup_errors=True))
            stack.enter_context(_environment(_of_one_machine(scratch)))
        with needs_extra("cluster", "scoring on Ray"):
            import ray.data
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)
        ray.data.DataContext.get_current().enable_progress_bars = False
        if not ray.is_initialized():
            stack.callback(ray.shutdown)
            with _sigterm_kept():
                _start(address, cluster)
        yield


def _start(address: str | None, cluster: Cluster) -> None:
    import ray

    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    if not address and ray.util.get_node_ip_address() not in _LOOPBACK:
        raise ConfigError(
            "Ray was loaded before, and would listen to the network; call ray.init() yourself, or give an address"
        )
    if address:
        how: dict[str, Any] = {"address": address}
    else:
        how = {
            "address": "local",
            "num_cpus": max(usable_cores(), (cluster.workers or 1) * cluster.threads),
            "include_dashboard": False,
            "object_store_memory": _OBJECT_STORE,
            "_temp_dir": os.environ["TMPDIR"],
        }
    for tries_left in reversed(range(_STARTS)):
        try:
            ray.init(**how, **quiet)
            break
        except Exception as error:  # Ray raises many classes here
            ray.shutdown()
            if not tries_left:
                where = f"reached at {address}" if address else "started"
                raise AesthError(f"Ray cannot be {where} ({one_line(error)})") from error
    if cluster.gpus and not address and ray.cluster_resources().get("GPU", 0) < cluster.gpus:
        raise ProviderError(
            f"Ray sees no {cluster.gpus:g} GPUs on this machine; give fewer, or the address of a cluster"
        )


def _of_one_machine(scratch: str) -> Mapping[str, str]:
    """Settings of a Ray that only this program can reach, and that leaves nothing outside of ``scratch``.

    By default it listens to the network, and does what anybody asks there.
    """
    return {
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # whatever its name says: no other address than 127.0.0.1
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "TMPDIR": scratch,
    }


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


@contextmanager
def _sigterm_kept() -> Iterator[None]:
    """Leave it to the program what SIGTERM does; Ray would end the process at once, without what it has to tidy up."""
    handler = signal.getsignal(signal.SIGTERM)
    yield
    if handler is not None and current_thread() is main_thread():
        signal.signal(signal.SIGTERM, handler)


def _room(cluster: Cluster) -> int:
    """How many workers the machines have room for now."""
    import ray

    resources = ray.cluster_resources()
    room = resources.get("CPU", 1) // cluster.threads
    if cluster.gpus:
        room = min(room, resources.get("GPU", 0) // cluster.gpus)
    return max(int(room), 1)


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
            if row["problem"] is not None:
                raise_problem(row["problem"])
            yield Advance(scored=int(row["scored"]), failed=int(row["failed"]))
    except AesthError:
        raise
    except Exception as error:
        reason = f"the run stopped ({one_line(error)}); the same command goes on where it was"
        raise AesthError(reason) from error
