"""Curation: from raw shards and facts to a release. See docs/data-engineers.md."""
