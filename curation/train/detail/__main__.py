"""`python -m curation.train.detail`."""

from curation.train.detail.training import main

if __name__ == "__main__":
    main()
