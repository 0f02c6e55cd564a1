"""Settings of somebody else's project, with habits that the add-on must be able to live with."""

import os

BOT_NAME = "shop"
SPIDER_MODULES = ["shop.spiders"]
ITEM_PIPELINES = {
    "scrapy.pipelines.files.FilesPipeline": 1,
    "scrapy.pipelines.images.ImagesPipeline": 2,
}
FILES_STORE = os.environ.get("SHOP_STORE", "store") + "/files"
IMAGES_STORE = os.environ.get("SHOP_STORE", "store") + "/images"
MEDIA_ALLOW_REDIRECTS = True

# Bad manners, which stay without effect once the add-on is on.
USER_AGENT = "Mozilla/5.0 (somebody else)"
COOKIES_ENABLED = True
ROBOTSTXT_OBEY = True
DOWNLOAD_DELAY = 0
CONCURRENT_REQUESTS_PER_DOMAIN = 8
RETRY_TIMES = 1

# The one line.
ADDONS = {"kyodaku.integrations.scrapy.KyodakuAddon": 0}
KYODAKU_RECIPE = os.environ.get("SHOP_RECIPE", "recipe.toml")
