"""Settings of the Scrapy project. `crawler.run` adds what a run decides: recipe, frontier, limits.

Every middleware that Scrapy switches on by itself is off: the gates, the frontier and the spiders do that
work, and nothing else may touch a request or a response.
"""

BOT_NAME = "kyodaku"
SPIDER_MODULES = ["crawler.spiders"]
NEWSPIDER_MODULE = "crawler.spiders"

ADDONS = {"kyodaku.integrations.scrapy.KyodakuAddon": 0}
SCHEDULER = "crawler.frontier.scheduler.FrontierScheduler"

DOWNLOADER_MIDDLEWARES_BASE: dict[str, int] = {}
SPIDER_MIDDLEWARES_BASE: dict[str, int] = {}
EXTENSIONS_BASE: dict[str, int] = {}
ITEM_PIPELINES: dict[str, int] = {}

TWISTED_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"
CONCURRENT_ITEMS = 1  # callbacks yield nothing
CONCURRENT_REQUESTS_PER_DOMAIN = 1  # the frontier hands out one request a host; this holds it to that
DOWNLOAD_DELAY = 0  # due times are the frontier's
DOWNLOAD_DELAY_JITTER = 0
STATS_DUMP = False
LOG_LEVEL = "WARNING"
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False
