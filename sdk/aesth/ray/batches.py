"""What a worker does: locations to scores, with one session of ONNX Runtime for as long as it lives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from aesth.alike import score_alike
from aesth.decode import DEFAULT_MAX_PIXELS
from aesth.encoder import OnnxEncoder
from aesth.ray.fetching import Fetcher
from aesth.ray.tables import as_table, locations_in, with_scores
from aesth.registry import find
from aesth.scale import DEFAULT_CUT_POINTS, CutPoints
from aesth.scorer import Scored, Scorer
from aesth.taste import Taste


class BatchScorer:
    """A callable for ``ray.data.Dataset.map_batches``: adds the scores of photos to a batch of their locations.

    The batch has a column ``path`` of absolute paths and URLs. It comes back as an Arrow table, whose other columns are
    kept, with score, rating, norm, embedding, error and model; see `aesth.ray.tables`. A photo that fails has an
    error and nothing else. A RAW file with a JPEG or HEIF of the camera beside it is scored by that, unless it is
    fetched.

    Args:
        model: ``"default"``, a name of the registry, or the path of an ONNX file, which each machine must have.
        providers: execution providers, best first; None takes the CPU.
        threads: of the network; as many as the worker has CPUs.
        jobs: photos decoded at a time; None takes as many as ``threads``.
        cut_points: scores at which a photo gets 2, 3, 4 and 5 stars.
        max_pixels: photos of more pixels are refused.
        previews: score photos by previews that cameras store in them, where these show the same.
        taste: of the person to score for; None scores by what people like in common.

    Raises:
        ConfigError: the name of the model or of a provider is unknown, or the taste is for another model.
        ModelError: the model is missing or damaged.
        ProviderError: a provider is missing on this machine.
    """

    def __init__(
        self,
        model: str = "default",
        providers: Sequence[str] | None = None,
        threads: int = 1,
        jobs: int | None = None,
        *,
        cut_points: CutPoints = DEFAULT_CUT_POINTS,
        max_pixels: int = DEFAULT_MAX_PIXELS,
        previews: bool = True,
        taste: Taste | None = None,
    ) -> None:
        self._scorer = Scorer(
            encoder=OnnxEncoder(find(model), providers, threads),
            jobs=jobs or threads,
            cut_points=cut_points,
            max_pixels=max_pixels,
            previews=previews,
            taste=taste,
        )
        self.model = self._scorer.tag
        self._fetcher = Fetcher()

    def __call__(self, batch: Mapping[str, Any] | Any) -> Any:
        """The batch, a mapping of columns or an Arrow table, with the columns of the scores."""
        table = as_table(batch)
        return with_scores(table, [scored for _, scored in self.score(locations_in(table))], self.model)

    def score(self, locations: Iterable[str]) -> Iterator[tuple[str, Scored]]:
        """Each photo with what became of it: lazily, in input order."""
        pictures = ((copy, copy.path) for copy in self._fetcher.copies(locations))
        for copy, scored in score_alike(pictures, self._scorer):
            copy.discard()
            yield copy.location, scored or Scored(None, error=copy.error)

    def close(self) -> None:
        """Stop the worker's threads, and remove what was fetched."""
        self._scorer.close()
        self._fetcher.close()
