"""`python -m kyodaku`."""

from kyodaku.cli import main

main()
