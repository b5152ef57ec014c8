"""`python -m aesth.cli`."""

from aesth.cli import main

main()
