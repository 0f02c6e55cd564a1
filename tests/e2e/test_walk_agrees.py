"""A walk through the gates and the crawl agree on every candidate of the small web."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import closing

from kyodaku.netguard import NetPolicy, load_host_table
from kyodaku.permission import Permission
from kyodaku.registry_client import load_registries
from kyodaku.rules import Rules
from kyodaku.walk import walk_image
from tests.e2e.conftest import DemoRun
from tests.e2e.driver import Driver
from tests.e2e.test_demo_outcomes import rows


def test_the_walk_and_the_crawl_agree_at_the_gates(demo: DemoRun) -> None:
    table = load_host_table(demo.web.host_table_path)
    rules = Rules.from_recipe(demo.recipe, NetPolicy(host_table=table))
    driver = Driver(table)
    registries = load_registries(demo.recipe, demo.recipe_path)
    with closing(Permission(rules, registries, time.time)) as gates:
        compared, differing = _compare(demo, driver, gates)
    assert compared > 90
    assert not differing, "\n".join(differing)


def _compare(demo: DemoRun, driver: Driver, gates: Permission) -> tuple[int, list[str]]:
    # A picture that somebody refuses about the time it is asked for may be stopped before or after.
    raced = {page.follows for site in demo.web.sites for page in site.pages}
    found = rows(demo)
    sites = {(image, page.split("/")[2]) for image, page in found}
    shared = Counter(image for image, _ in sites)
    differing = []
    compared = 0
    for (image_url, page_url), row in found.items():
        if (
            shared[image_url] > 1  # the crawl weighs what pages of all sites say of it, a walk hears one
            or row["host"] in demo.web.trap_hosts
            or image_url in raced
            or row["not_requested"]
            or (image_url, page_url) not in demo.web.expected
        ):
            continue
        judged = driver.run(walk_image(gates, image_url, page_url)).last
        compared += 1
        if (judged.verdict, judged.reason) != (row["gate_verdict"], row["gate_reason"]):
            crawl = f"crawl {row['gate']} {row['gate_verdict']} {row['gate_reason']}"
            walk = f"walk {judged.gate} {judged.verdict} {judged.reason}"
            differing.append(f"{image_url} on {page_url}: {crawl}; {walk}")
    return compared, differing
