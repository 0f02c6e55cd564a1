"""The crawl: a Scrapy project whose scheduler is a durable frontier that asks before every request.

`crawler.stage.crawl` runs it; `crawler.status.read_status` looks at one that is running.
"""
