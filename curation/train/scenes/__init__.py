"""What `curation.train.drawn` draws, by subject."""
