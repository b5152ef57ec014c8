"""Measuring on a noisy machine: a fixed load runs beside everything, and what is to be compared takes turns."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from math import ceil
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

SIDE = 1024
PRODUCT = 2 * SIDE**3
"""Operations of a product of two square matrices, each multiplication and each addition counted."""

FEWEST, MOST = 5, 100
"""Rounds of a benchmark: as many as its time allows."""


@dataclass(frozen=True)
class Task:
    """Something to be timed.

    Attributes:
        run: what is timed.
        count: how many units, such as photos, one call gets done.
        prepare: what must happen before each call, and is not timed.
    """

    run: Callable[[], Any]
    count: int = 1
    prepare: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Load:
    """A fixed piece of work, whose time divides the speed of the machine, and its mood, out of a figure.

    Attributes:
        name: what is told of it.
        run: the work.
    """

    name: str
    run: Callable[[], object]


@cache
def float_product() -> Load:
    """A product of float32 matrices by ONNX Runtime, on all cores."""
    return _product("float product", np.float32, "MatMul")


@cache
def int8_product() -> Load:
    """A product of 8-bit matrices by ONNX Runtime, on all cores, with the session options of our encoders."""
    return _product("int8 product", np.uint8, "MatMulInteger")


@cache
def compression() -> Load:
    """Deflating 256 KB of noise of few values, on one core."""
    content = np.random.default_rng(0).integers(0, 16, 1 << 18, np.uint8).tobytes()
    return Load("compression", lambda: zlib.compress(content, 6))


def measure(
    benchmark: BenchmarkFixture,
    task: Task,
    *,
    label: str,
    unit: str,
    seconds: float,
    load: Load | None = None,
    beside: Mapping[str, Task] | None = None,
    rounds: tuple[int, int] = (FEWEST, MOST),
    **notes: object,
) -> Any:
    """Time ``task`` in rounds; in each, ``load`` and what is ``beside`` take their turns right before it.

    What is told in ``benchmark.extra_info`` is read by `results.read_report`.

    Args:
        benchmark: of pytest-benchmark.
        task: what is measured.
        label: what it is called in tables.
        unit: what it is counted in.
        seconds: about how long all rounds may take; at least the fewest happen.
        load: divides the machine's speed out; by default what fits work on all cores.
        beside: by name, what is measured in turn with it; the ratio is the median over the rounds.
        rounds: fewest and most.
        notes: more to tell.

    Returns:
        what the last call of ``task`` returned.
    """
    others = dict(beside or {})
    reference = load or float_product()
    warm = sum(_timed(one) for one in (task, *others.values())) + seconds_of(reference.run)
    fewest, most = rounds
    count = max(fewest, min(most, ceil(seconds / warm)))
    loads: list[float] = []
    times: dict[str, list[float]] = {name: [] for name in others}

    def take_turns() -> None:
        loads.append(seconds_of(reference.run))
        for name, other in others.items():
            times[name].append(_timed(other) / other.count)
        task.prepare()

    result = benchmark.pedantic(task.run, setup=take_turns, rounds=count)
    own = [value / task.count for value in benchmark.stats.stats.data]
    benchmark.extra_info.update(
        label=label,
        unit=unit,
        count=task.count,
        **spread(own),
        load=reference.name,
        load_seconds=min(loads),
        beside={
            name: {"seconds": min(other), "ratio": median(a / b for a, b in zip(own, other, strict=True))}
            for name, other in times.items()
        },
        **notes,
    )
    return result


def spread(times: list[float]) -> dict[str, float]:
    """What is told of the ``times`` of calls, in seconds for one unit."""
    percentiles = {f"p{percent}": percentile(times, percent) for percent in (50, 95, 99)}
    return {"calls": len(times), "seconds": min(times), **percentiles}


def percentile(values: list[float], percent: int) -> float:
    """The smallest of ``values`` that is not surpassed by at least ``percent`` of 100 of them (nearest rank)."""
    return sorted(values)[max(0, ceil(len(values) * percent / 100) - 1)]


def _timed(task: Task) -> float:
    task.prepare()
    return seconds_of(task.run)


def seconds_of(run: Callable[[], object]) -> float:
    """How long one call takes."""
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def _product(name: str, kind: type[np.number[Any]], operator: str) -> Load:
    """A load that multiplies two matrices, after it was seen to multiply them rightly."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    from aesth.runtime import load_runtime, session_options

    left, right = (np.random.default_rng(seed).integers(0, 100, (SIDE, SIDE)).astype(kind) for seed in (0, 1))
    weights = right if kind is np.float32 else right.astype(np.int8)
    out = TensorProto.FLOAT if kind is np.float32 else TensorProto.INT32
    graph = helper.make_graph(
        [helper.make_node(operator, ["left", "right"], ["product"])],
        "product",
        [helper.make_tensor_value_info("left", helper.np_dtype_to_tensor_dtype(left.dtype), [SIDE, SIDE])],
        [helper.make_tensor_value_info("product", out, [SIDE, SIDE])],
        [numpy_helper.from_array(weights, "right")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    session = load_runtime().InferenceSession(
        model.SerializeToString(), session_options(), providers=["CPUExecutionProvider"]
    )

    def run() -> NDArray[np.number[Any]]:
        product: NDArray[np.number[Any]] = session.run(None, {"left": left})[0]
        return product

    assert np.array_equal(run()[0], left[0].astype(np.int64) @ right.astype(np.int64))
    return Load(name, run)
