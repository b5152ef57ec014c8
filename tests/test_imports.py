"""The one-way rule of the design: who may import whom, and what `import aesth` loads."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from PIL import Image

import aesth
from support.models import brightness_model

PACKAGE = Path(aesth.__file__).parent

STAGES = (
    {"_version", "ahead", "cores", "databases", "errors", "later", "lazily", "places", "properties", "replacing"},
    {"extras", "formats", "occupied", "preprocess", "records", "scale", "registry", "runtime", "taste"},
    {"pairs", "install", "qualities"},
    {"shots"},
    {"openvino"},
    {"providers"},
    {"discover", "decode", "encoder", "metadata"},
    {"fingerprint"},
    {"cache"},
    {"axes"},
    {"remembering"},
    {"scorer", "config"},
    {"alike"},
    {"tagging", "apps"},
    {"explaining", "scoring", "picking", "learning", "spotting", "undo", "doctor", "watching"},
    {"collecting", "comparing", "digikam", "matching", "ray", "reporting"},
    {"training"},
    {"cli"},
    {"__main__"},
)
"""What is named in a line may import what is named above it; within a line nobody imports another."""

FORBIDDEN = {
    "metadata": {
        "preprocess",
        "decode",
        "encoder",
        "scale",
        "scorer",
        "numpy",
        "PIL",
        "onnxruntime",
        "rawpy",
    },
    "taste": {"decode", "encoder", "scale", "PIL", "onnxruntime"},
    "discover": {"decode", "encoder", "numpy", "PIL"},
    "encoder": {"decode", "discover", "formats", "PIL"},
    "decode": {"encoder", "discover", "metadata", "onnxruntime"},
    "fingerprint": {"encoder", "metadata", "onnxruntime"},
    "cache": {"encoder", "metadata", "onnxruntime", "PIL", "numpy"},
    "preprocess": {"decode", "encoder", "onnxruntime"},
    "scorer": {"metadata", "discover"},
}

ONLY_FOR = {
    "torch": {"training"},
    "torchvision": {"training"},
    "tensorboard": {"training"},
    "scipy": {"training"},
    "httpx": {"training"},
    "matplotlib": {"apps", "training"},
    "onnx": {"training"},
    "typer": {"cli"},
    "rich": {"cli", "training"},
    "exiftool": {"metadata"},
    "onnxruntime": {"runtime", "training"},
    "openvino": {"openvino"},
    "rawpy": {"decode"},
    "pillow_heif": {"decode"},
    "av": {"decode", "apps"},
    "pymysql": {"digikam"},
    "watchdog": {"watching"},
    "fsspec": {"ray"},
    "pyarrow": {"ray"},
    "ray": {"ray"},
}


@cache
def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    """The part of the package that a file belongs to: ``decode`` for ``decode/raw.py``; "" for ``__init__.py``."""
    first = path.relative_to(PACKAGE).parts[0]
    return "" if first == "__init__.py" else first.removesuffix(".py")


@cache
def imports(path: Path) -> tuple[tuple[str, bool], ...]:
    """What a file imports, in full, and whether it does so at import; ``TYPE_CHECKING`` blocks count as well."""
    return tuple(found_in(path))


def found_in(path: Path) -> Iterator[tuple[str, bool]]:
    tree = ast.parse(path.read_text())
    inside_functions = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are absolute"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            yield name, id(node) not in inside_functions


def parts_imported(path: Path) -> set[str]:
    """The other parts of this package that a file imports, and the foreign packages."""
    found = set()
    for name, _ in imports(path):
        head, *rest = name.split(".")
        if head != "aesth":
            found.add(head)
        elif rest and ((PACKAGE / rest[0]).is_dir() or (PACKAGE / f"{rest[0]}.py").exists()):
            found.add(rest[0])
    return found - {part_of(path)}


def foreign_packages(path: Path) -> set[str]:
    """Some of which are called as a part of this package is."""
    return {name.split(".")[0] for name, _ in imports(path)} - {"aesth"}


def stage_of(part: str) -> int:
    return next(index for index, parts in enumerate(STAGES) if part in parts)


def test_data_flows_one_way() -> None:
    for path in filter(part_of, modules()):
        part = part_of(path)
        own = {other for other in parts_imported(path) if any(other in parts for parts in STAGES)}
        later = {other for other in own if stage_of(other) >= stage_of(part)}
        assert not later, f"{path}: {part} must not import {later}"
        forbidden = parts_imported(path) & FORBIDDEN.get(part, set())
        assert not forbidden, f"{path}: {part} must not import {forbidden}"


def test_heavy_packages_stay_where_they_belong() -> None:
    for path in modules():
        for package in foreign_packages(path) & set(ONLY_FOR):
            assert part_of(path) in ONLY_FOR[package], f"{path}: {package} is imported by {part_of(path)}"


def test_onnx_runtime_is_loaded_when_needed_and_by_load_runtime_first() -> None:
    for path in modules():
        names = dict(imports(path))
        found = [name for name in names if name.split(".")[0] == "onnxruntime"]
        assert not any(names[name] for name in found), f"{path}: importing it turns its telemetry on"
        assert not found or part_of(path) == "runtime" or "aesth.runtime.load_runtime" in names, path


def test_ray_is_loaded_by_a_run_on_many_machines_alone() -> None:
    for path in modules():
        names = dict(imports(path))
        found = [name for name in names if name.split(".")[0] in ("ray", "fsspec", "pyarrow")]
        assert not found or part_of(path) == "ray", path
        assert not any(names[name] for name in found), f"{path}: each is loaded inside a function, when it is needed"


def test_every_part_has_its_stage() -> None:
    assert {part_of(path) for path in modules()} - {""} <= set().union(*STAGES)


def test_training_is_imported_by_its_own_commands_alone() -> None:
    for path in modules():
        if part_of(path) != "training" and "training" in parts_imported(path):
            assert part_of(path) == "cli"
            assert "train" in path.stem


def loaded_by(statement: str) -> set[str]:
    program = f"import sys; {statement}; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stderr == ""
    return set(result.stdout.split())


def test_import_aesth_is_light() -> None:
    heavy = {
        "numpy",
        "PIL",
        "onnxruntime",
        "torch",
        "torchvision",
        "typer",
        "rich",
        "onnx",
        "scipy",
        "httpx",
        "matplotlib",
        "rawpy",
        "pillow_heif",
        "exiftool",
        "sqlite3",
        "av",
        "ray",
        "fsspec",
        "pyarrow",
    }
    assert not loaded_by("import aesth") & heavy


def loaded_by_command(*arguments: str | Path) -> set[str]:
    """What the command loads until it has done its work, whatever comes of it."""
    program = (
        "import atexit, sys; from aesth.cli import main; atexit.register(lambda: print('loaded', *sys.modules)); main()"
    )
    command = [sys.executable, "-c", program, *map(str, arguments)]
    *_, loaded = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split("loaded ")
    return set(loaded.split())


def test_photos_that_are_known_are_tagged_without_the_network(tmp_path: Path) -> None:
    """ONNX Runtime, the network and ExifTool take most of the time until the first photo is told."""
    model, photo = brightness_model(tmp_path / "brightness.onnx"), tmp_path / "photo.jpg"
    Image.new("RGB", (32, 32), (99, 99, 99)).save(photo)
    new, known = (loaded_by_command("tag", "--model", model, photo) for _ in range(2))
    assert "onnxruntime" in new
    assert "aesth.tagging" in known
    assert "onnxruntime" not in known


def test_pictures_are_fetched_and_counted_without_what_only_a_training_needs(tmp_path: Path) -> None:
    """Torch alone takes seconds to load."""
    pytest.importorskip("httpx")
    listing, out = tmp_path / "list.csv", tmp_path / "out"
    listing.write_text("http://127.0.0.1:9/a.jpg;9;99\n")
    fetch = loaded_by_command("train", "fetch", listing, "--out", out, "--retries", "0", "--timeout", "1")
    assert "httpx" in fetch
    assert (out / "failures.csv").is_file()
    popularity = loaded_by_command("train", "popularity", listing)
    assert "aesth.training.histogram" in popularity
    for loaded in (fetch, popularity):
        assert not loaded & {"torch", "torchvision", "tensorboard", "onnx", "scipy", "matplotlib"}


def file_of(name: str) -> Path | None:
    """The file of this package that holds the module, or what the module holds, called ``name``."""
    parts = name.split(".")
    for taken in range(len(parts), 0, -1):
        place = PACKAGE.parent.joinpath(*parts[:taken])
        for path in (place.with_suffix(".py"), place / "__init__.py"):
            if path.is_file():
                return path
    return None


def loaded_with(path: Path) -> set[str]:
    """The foreign packages that a file of this package loads at import, itself or by others of this package."""
    seen, left, packages = {path}, [path], set()
    while left:
        for name in (name for name, at_import in imports(left.pop()) if at_import):
            if name.split(".")[0] != "aesth":
                packages.add(name.split(".")[0])
            elif (other := file_of(name)) and other not in seen:
                seen.add(other)
                left.append(other)
    return packages


def test_a_training_loads_no_package_that_only_figures_and_drawings_need() -> None:
    loaded = loaded_with(PACKAGE / "training" / "reproduce.py")
    assert {"torch", "onnx", "rich"} <= loaded
    assert not loaded & {"scipy", "matplotlib", "torchvision", "httpx"}


def test_import_aesth_gives_what_it_says() -> None:
    for name in aesth.__all__:
        assert getattr(aesth, name) is not None
    assert (PACKAGE / "py.typed").exists()


def at_home(home: Path, statement: str) -> list[Path]:
    """What a program leaves in the home folder of a person who set nothing."""
    environment = {"HOME": str(home), "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PATH": os.defpath}
    subprocess.run([sys.executable, "-B", "-c", statement], env=environment, check=True)
    return list(home.rglob("*"))


@pytest.mark.skipif(os.name == "nt", reason="home is told by other means here")
def test_neither_import_nor_scoring_leaves_anything_behind(tmp_path: Path, brightness: Path) -> None:
    """ONNX Runtime's telemetry would leave a device id."""
    score = f"aesth.Scorer({str(brightness)!r}).score_one(numpy.zeros((9, 9, 3), 'uint8'))"
    assert at_home(tmp_path, "import aesth") == []
    assert at_home(tmp_path, f"import aesth, numpy; assert {score}.score == 0") == []
