"""Images per second and CPU per image of a crawl, beside stock Scrapy on the same web in the same run."""
