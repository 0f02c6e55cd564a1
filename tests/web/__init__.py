"""The small web: real HTTP servers on loopback with good, refusing, broken and hostile sites.

Tests, `make demo` and the benchmark crawl it. See README.md in this folder.
"""

from tests.web.model import Figure, Page, Picture, Reply, Site
from tests.web.small_web import SmallWeb

__all__ = ["Figure", "Page", "Picture", "Reply", "Site", "SmallWeb"]
