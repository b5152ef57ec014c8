"""`python -m aesth`: the program `aesth`, where it is not on the PATH."""

from aesth.cli import main

main()
