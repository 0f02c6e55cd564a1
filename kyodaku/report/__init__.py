"""Reports on a run: the private page, the public page of a release, and the story of one image."""
