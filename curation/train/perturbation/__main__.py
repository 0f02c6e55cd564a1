"""`python -m curation.train.perturbation`."""

from curation.train.perturbation.training import main

if __name__ == "__main__":
    main()
