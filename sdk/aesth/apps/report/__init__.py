"""One page that shows photos by score, to look at, filter and choose from: a contact sheet that opens from disk."""

from aesth.apps.report.making import PageFile
from aesth.apps.report.page import page
from aesth.apps.report.sheet import Frame, Picture, Sheet
from aesth.apps.report.thumbnails import Thumbnail, thumbnails

__all__ = ["Frame", "PageFile", "Picture", "Sheet", "Thumbnail", "page", "thumbnails"]
