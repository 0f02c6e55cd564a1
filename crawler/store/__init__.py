"""What is kept: crawl.sqlite, raw shards, evidence, and the tables of a finished crawl."""
