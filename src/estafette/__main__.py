"""`python -m estafette` is the command `estafette`."""

from estafette.cli import main

main()
