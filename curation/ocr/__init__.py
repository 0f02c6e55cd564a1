"""Reading what is written in a picture: where text stands, and what it says."""
