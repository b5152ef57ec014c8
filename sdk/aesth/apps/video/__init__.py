"""The best spots of a video (paper, section 7, Fig. 11): score curve, key frames at its peaks, and a reel of them."""
