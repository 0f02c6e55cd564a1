"""The spiders: `site` follows links and sitemaps, `url_list` reads lists of images."""
