"""Training of encoders, by the paper; needs the extra ``train``. Nothing outside `aesth.cli` imports it."""
