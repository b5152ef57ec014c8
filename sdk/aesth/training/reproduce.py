"""What `aesth train reproduce` does: the models that ship are made again, from the data and the recipes that ship."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from aesth.errors import ConfigError
from aesth.training.publish import export_models
from aesth.training.run import evaluate

RECIPES = Path(__file__).parent / "recipes"

SHIPPED = ("base", "lite")
"""The bundled recipes whose models come with aesth."""


def bundled_recipes(folder: Path = RECIPES) -> dict[str, Path]:
    """The recipes in ``folder`` by their names, ``base`` being that of ``base.toml``."""
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def reproduce(
    names: Sequence[str] = (),
    *,
    data: Path,
    out: Path,
    models: Path | None = None,
    measured: bool = True,
    resume: bool = True,
    device: str = "auto",
    recipes: Path = RECIPES,
) -> Iterator[Path]:
    """Make models by their recipes; each has a folder of its own for its run, ``out/NAME``.

    A model is measured first, fold by fold, so that its figures become part of its file; then it is trained on all
    rated pictures, and exported.

    Args:
        names: of bundled recipes; by default those of `SHIPPED`.
        data: folder with ``oasis/``, ``photos/`` and ``backbones/``.
        out: folder of the runs' folders.
        models: folder of the float16 and int8 models; by default, that of each run.
        measured: train without each fold and measure on it, as `run.evaluate` does.
        resume: go on where a killed run stopped; what is trained to its end is not trained again.
        device: ``auto``, ``cpu`` or ``cuda``.
        recipes: folder of the bundled recipes.

    Yields:
        The float32, the float16 and the int8 file of each model, once they are there.

    Raises:
        ConfigError: no bundled recipe has that name, or a run's folder belongs to another recipe.
        CatalogueError: the data is incomplete.
        ModelError: ONNX Runtime does not say what torch says.
        ProviderError: there is no such device.
    """
    # A wrong name is told before the first model is trained, which can take hours.
    for name, config in _chosen(names or SHIPPED, bundled_recipes(recipes)).items():
        folder = out / name
        if measured:
            evaluate(config=config, data=data, out=folder, resume=resume, device=device)
        yield from export_models(
            config=config, data=data, out=folder, models=models or folder, resume=resume, device=device
        )


def _chosen(names: Sequence[str], known: dict[str, Path]) -> dict[str, Path]:
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ConfigError(f"no recipe {unknown[0]!r} comes with aesth; there are: {', '.join(known)}")
    return {name: known[name] for name in names}
