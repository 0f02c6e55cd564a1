"""Annotators: one file each, facts about one stored image in, columns out."""
