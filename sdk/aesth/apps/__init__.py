"""What photographers do with scores, on top of the scorer and the encoder."""
