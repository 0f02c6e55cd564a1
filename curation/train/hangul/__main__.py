"""`python -m curation.train.hangul`."""

import typer

from curation.train.hangul.training import main

if __name__ == "__main__":
    typer.run(main)
