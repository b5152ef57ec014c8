"""ONNX Runtime sends nothing to its maker, unless the user asked for that, and int8 means the same on every CPU."""

from pathlib import Path

import numpy as np
import pytest

from aesth.runtime import has_vnni, load_runtime, session_options
from support.models import CHANNELS, SUM_STEP, int8_sum

VARIABLE = "ORT_DISABLE_TELEMETRY"


@pytest.mark.parametrize(("setting", "switched_off"), [(None, True), ("1", True), ("0", False)])
def test_telemetry_is_switched_off_even_where_a_program_loaded_it_before_us(
    setting: str | None, switched_off: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    monkeypatch.setattr(load_runtime(), "disable_telemetry_events", lambda: calls.append("off"))
    monkeypatch.setenv(VARIABLE, setting or "")
    if setting is None:
        monkeypatch.delenv(VARIABLE)
    load_runtime()
    assert bool(calls) == switched_off


@pytest.mark.parametrize("value", [1, 128, 200, 255])
def test_sums_of_int8_products_are_not_cut_off_on_any_cpu(value: int) -> None:
    model = int8_sum().SerializeToString()
    session = load_runtime().InferenceSession(model, session_options(1), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"x": np.full((1, CHANNELS, 8, 8), value, np.float32)})
    assert set(found.ravel()) == {SUM_STEP * round(value * CHANNELS / SUM_STEP)}


PLAIN, VNNI, NEWER = "fpu sse2 avx2 avx512f", "fpu avx2 avx512f avx512_vnni amx_int8", "fpu avx2 avx_vnni"


@pytest.mark.parametrize(
    ("cores", "found"),
    [
        ([PLAIN, PLAIN], False),
        ([VNNI, VNNI], True),
        ([NEWER], True),
        ([NEWER, PLAIN], False),
        (["avx512_vnnix"], False),
        ([], False),
    ],
)
def test_only_where_no_core_cuts_sums_off_the_slower_way_is_left(tmp_path: Path, cores: list[str], found: bool) -> None:
    described = tmp_path / "cpuinfo"
    described.write_text("".join(f"processor\t: 0\nflags\t\t: {flags}\nbugs\t\t: avx_vnni\n\n" for flags in cores))
    assert has_vnni(described) == found
    assert not has_vnni(tmp_path / "none")


@pytest.mark.parametrize("vnni", [False, True])
def test_the_slower_way_is_asked_for_by_what_the_cpu_can(vnni: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aesth.runtime.has_vnni", lambda: vnni)
    options = session_options()
    try:
        asked = options.get_session_config_entry("session.x64quantprecision") == "1"
    except RuntimeError:  # there is no such entry
        asked = False
    assert asked is not vnni
