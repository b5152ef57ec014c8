"""ONNX Runtime sends nothing to its maker, unless the user asked for that."""

import pytest

from aesth.runtime import load_runtime

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
