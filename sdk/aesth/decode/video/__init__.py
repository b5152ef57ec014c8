"""Video file -> upright sRGB frames with their times, as many as asked for and no more decoded than needed.

It needs the extra ``video``.
"""

from aesth.extras import needs_extra

with needs_extra("video", "reading videos"):
    from aesth.decode.video.reader import Frame, Video

__all__ = ["Frame", "Video"]
