"""Training of HangulNet."""
