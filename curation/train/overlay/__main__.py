"""`python -m curation.train.overlay`."""

import typer

from curation.train.overlay.training import main

if __name__ == "__main__":
    typer.run(main)
