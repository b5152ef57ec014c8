"""Pictures to learn from: reading the lists of rated ones, and who is kept out for measuring."""

from aesth.training.catalogue.faves import FavesLine, read_faves, read_faves_lines
from aesth.training.catalogue.photos import PICTURE_SUFFIXES, unrated_photos
from aesth.training.catalogue.pictures import Catalogue, PicturePair, RatedPicture
from aesth.training.catalogue.reading import FORMS, read_catalogue
from aesth.training.catalogue.splits import FOLDS, fold, kept_for_damage
from aesth.training.catalogue.tables import read_oasis, read_pairs, read_scores

__all__ = [
    "FOLDS",
    "FORMS",
    "PICTURE_SUFFIXES",
    "Catalogue",
    "FavesLine",
    "PicturePair",
    "RatedPicture",
    "fold",
    "kept_for_damage",
    "read_catalogue",
    "read_faves",
    "read_faves_lines",
    "read_oasis",
    "read_pairs",
    "read_scores",
    "unrated_photos",
]
