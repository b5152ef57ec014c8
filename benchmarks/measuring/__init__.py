"""What the benchmarks stand on: photos to measure with, how it is measured, and what becomes of the figures."""
