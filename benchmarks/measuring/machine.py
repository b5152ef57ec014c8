"""What the benchmarks ran on, as far as it matters for speed; nothing that tells whose machine it is."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
import sys
from pathlib import Path

from aesth.cores import usable_cores

PACKAGES = ("onnxruntime", "numpy", "pillow", "pillow-heif", "av", "torch", "opencv-python-headless", "transformers")
INSTRUCTIONS = {
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512_vnni": "AVX-512 VNNI",
    "avx_vnni": "AVX VNNI",
    "asimd": "NEON",
}


def describe() -> dict[str, str]:
    """The machine, the programs and the libraries, by name."""
    return {
        "processor": processor(),
        "cores": str(usable_cores()),
        "instructions": ", ".join(instructions()) or "unknown",
        "memory": memory(),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "ExifTool": _exiftool(),
        **{name: version for name in PACKAGES if (version := _version(name))},
    }


def processor() -> str:
    """What the processor calls itself."""
    if sys.platform == "darwin":
        return _output("sysctl", "-n", "machdep.cpu.brand_string")
    return _cpuinfo().get("model name") or platform.processor() or platform.machine()


def instructions() -> list[str]:
    """Sets of instructions that matter to an encoder."""
    facts = _cpuinfo()
    flags = f"{facts.get('flags', '')} {facts.get('Features', '')}".split()
    return [name for flag, name in INSTRUCTIONS.items() if flag in flags]


def memory() -> str:
    """How much there is."""
    for line in _lines(Path("/proc/meminfo")):
        if line.startswith("MemTotal:"):
            return f"{int(line.split()[1]) / 2**20:.0f} GiB"
    return "unknown"


def _cpuinfo() -> dict[str, str]:
    """What Linux tells of the last core."""
    pairs = (line.partition(":") for line in _lines(Path("/proc/cpuinfo")))
    return {name.strip(): value.strip() for name, _, value in pairs}


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _exiftool() -> str:
    return _output("exiftool", "-ver")


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
