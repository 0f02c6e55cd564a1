"""`python -m curation.train.kind`."""

from curation.train.kind.training import main

if __name__ == "__main__":
    main()
