"""What comes in: seeds, sitemaps, pages and images, and the candidates found on them."""
