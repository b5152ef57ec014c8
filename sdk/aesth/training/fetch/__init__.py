"""Fetching the pictures of a list of URLs with faves and views, such as AROD's (paper, section 4)."""

from aesth.training.fetch.fetching import CATALOGUE, FAILURES, Fetched, fetch_list
from aesth.training.fetch.listing import Entry, read_list
from aesth.training.fetch.options import FetchOptions

__all__ = ["CATALOGUE", "FAILURES", "Entry", "FetchOptions", "Fetched", "fetch_list", "read_list"]
