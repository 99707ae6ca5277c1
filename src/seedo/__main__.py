"""`python -m seedo` is the `seedo` command."""

from seedo.cli import main

main()
