"""Drawing a Story for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from rich.tree import Tree

from kyodaku.reasons import Outcome
from kyodaku.report.data import HostFile
from kyodaku.report.parts import moment, size
from kyodaku.report.plaintext import plain, short_url
from kyodaku.report.story import ImageStory, PageStory, SignalLine, Story
from kyodaku.report.texts import reason_english

_STYLES = {
    "proceed": "green", "allow": "green", "released": "green", "permitted": "green",
    "refuse": "red", "refused": "red", "reserved": "red", "fail": "red", "failed": "red",
    "hold": "yellow", "held": "yellow", "error": "yellow",
}  # fmt: skip
_PLACES = {
    "raw": "as served, in {file}, key {key}, {bytes} at byte {offset}",
    "purged": "purged from {file}: the row {key} stays, the bytes are gone",
    "dropped": "was in {file}, key {key}; the raw shard was dropped",
    "released": "released, in {file}, key {key}",
    "still": "still published, in {file}, key {key}",
}


def render(story: Story) -> Tree:
    """The story as a tree: the sentence first, then gate by gate."""
    root = Tree(Text(plain(story.sentence), style="bold"), guide_style="dim")
    _add_host_files(root, story.host_files)
    for page in story.pages:
        _add_page(root, page, alone=len(story.pages) == 1 and not story.images)
    for image in story.images:
        _add_image(root, image, alone=len(story.images) == 1)
    if story.not_told:
        which = "it" if story.not_told == 1 else "one of them"
        root.add(Text(f"and {story.not_told:,} more; ask for {which} by its address", style="dim"))
    return root


def _add_image(root: Tree, image: ImageStory, alone: bool) -> None:
    branch = root.add(_line("image", short_url(image.image_url, 200)))
    if not alone:
        branch.add(Text(plain(image.sentence)))
    if image.page_url:
        branch.add(_line("page", short_url(image.page_url, 200)))
    _add_file(branch, image)
    _add_words(branch, image)
    _add_gates(branch, image)
    _add_evidence(branch, image)
    _add_seen(branch, image)
    _add_decision(branch, image)
    _add_copies(branch, image)
    _add_host_files(branch, image.host_files)
    names = f"candidate {image.candidate_id}" + (f", uid {image.uid}" if image.uid else "")
    branch.add(_line("names", names))


def _add_page(root: Tree, page: PageStory, alone: bool) -> None:
    branch = root.add(_line(page.kind, short_url(page.url, 200)))
    if not alone:
        branch.add(Text(plain(page.sentence)))
    if page.hops:
        branch.add(_line("asked", f"{moment(page.fetched_at)}, {size(page.bytes)} read"))
    else:
        branch.add(_line("asked", "never"))
    for url, status in page.hops:
        branch.add(Text(f"{status or 'no answer'} {short_url(url, 160)}"))
    outcome = (page.outcome or "open").replace("_", " ")
    reason = f": {reason_english(page.outcome, page.reason)}" if page.outcome else ""
    shown = branch.add(
        Text.assemble(
            (f"{page.gate.upper()} ", "bold"), (outcome, _STYLES.get(page.outcome, "green")), plain(reason)
        )
    )
    for signal in page.signals:
        _add_signal(shown, signal)
    branch.add(_line("image URLs found", f"{page.candidates:,}"))
    _add_host_files(branch, page.host_files)


def _line(label: str, value: str, style: str = "") -> Text:
    return Text.assemble((f"{label}: ", "bold cyan"), (plain(value), style))


def _add_file(branch: Tree, image: ImageStory) -> None:
    if image.bytes:
        facts = f"{plain(image.mime)}, {image.width} × {image.height}, {size(image.bytes)}"
        branch.add(_line("fetched", f"{moment(image.fetched_at)}, {facts}"))
    if len(image.hops) > 1 or (image.hops and not image.bytes):
        count = "1 request" if len(image.hops) == 1 else f"{len(image.hops)} requests"
        hops = branch.add(_line("way", count))
        for url, status in image.hops:
            hops.add(Text(f"{status or 'no answer'} {short_url(url, 160)}"))


def _add_words(branch: Tree, image: ImageStory) -> None:
    if image.words:
        words = branch.add(_line("words on the page", ""))
        for name, value in image.words.items():
            words.add(_line(name.replace("_", " "), plain(value, 300)))
    if image.caption is not None:
        kept = image.caption.text or "(no text was kept)"
        branch.add(_line(f"caption ({image.caption.source or 'none'})", plain(kept, 300)))


def _add_gates(branch: Tree, image: ImageStory) -> None:
    gates = branch.add(_line("gates", ""))
    for step in image.gates:
        reason = f": {step.reason}" if step.reason and step.verdict != "proceed" else ""
        style = _STYLES.get(step.verdict, "dim")
        shown = gates.add(
            Text.assemble((f"{step.gate.upper()} ", "bold"), (step.verdict + plain(reason), style))
        )
        for signal in step.signals:
            _add_signal(shown, signal)


def _add_signal(branch: Tree, signal: SignalLine) -> None:
    mark = " ← decides" if signal.decisive else ""
    head = Text.assemble(
        f"{plain(signal.protocol)} ",
        (signal.effect, _STYLES.get(signal.effect, "")),
        f", bound to the {signal.binding}",
        (mark, "bold"),
    )
    node = branch.add(head)
    if signal.raw:
        node.add(Text(f"“{plain(signal.raw, 400)}”", style="italic"))
    if signal.parsed and signal.parsed != signal.raw:
        node.add(_line("read as", plain(signal.parsed, 300)))
    part = "" if signal.complete else ", incomplete"
    node.add(Text(f"{short_url(signal.source_url, 160)}, {moment(signal.fetched_at)}{part}", style="dim"))
    if signal.rule or signal.digest:
        node.add(Text(f"{plain(signal.rule, 120)}  sha256 {plain(signal.digest, 64)}".strip(), style="dim"))


def _add_evidence(branch: Tree, image: ImageStory) -> None:
    if not image.evidence:
        return
    shown = branch.add(_line("licence statements", ""))
    for item in image.evidence:
        what = item.licence or item.licence_url or "unknown"
        bound = "not bound to this image" if item.binding == "unbound" else f"bound by {item.binding}"
        mark = " ← decides" if item.decisive else ""
        node = shown.add(Text(f"{plain(what, 200)}, {bound}{mark}"))
        if item.institution:
            node.add(_line("institution", item.institution))
        if item.licence and item.licence_url:
            node.add(_line("address", plain(item.licence_url, 200)))
        node.add(Text(f"“{plain(item.element, 400)}”", style="italic"))
        node.add(Text(f"{short_url(item.source_url, 160)}, sha256 {plain(item.digest, 64)}", style="dim"))


def _add_seen(branch: Tree, image: ImageStory) -> None:
    if not image.seen:
        return
    shown = branch.add(_line("seen in the picture", ""))
    for item in sorted(image.seen, key=lambda item: not item.decisive):
        answer = item.level or f"{item.score:.3g}"
        if item.status != "ok":
            answer = item.status
        mark = " ← decides" if item.decisive else ""
        node = shown.add(Text.assemble(f"{plain(item.annotator)}: {plain(answer)}", (mark, "bold")))
        if item.text:
            node.add(Text(f"“{plain(item.text, 400)}”", style="italic"))


def _add_decision(branch: Tree, image: ImageStory) -> None:
    chosen = image.decision
    if chosen is None:
        branch.add(_line("decision", "none yet; the gates' answers are provisional"))
    else:
        style = _STYLES.get(chosen.outcome, "")
        outcome = chosen.outcome.replace("_", " ")
        # No permission was in question where an image was never had: the hold behind it says nothing.
        own = chosen.outcome in (Outcome.FAILED, Outcome.NOT_REQUESTED)
        node = branch.add(_line("decision", outcome if own else f"{chosen.verdict}, {outcome}", style))
        node.add(Text(plain(reason_english(chosen.outcome, chosen.outcome_reason))))
        if chosen.licence:
            node.add(_line("licence", chosen.licence))
        if chosen.because_of:
            node.add(_line("decided by", f"{chosen.because_of} {short_url(chosen.because_of_url, 160)}"))
    where = branch.add(
        _line("where it is now", "" if image.places else "nowhere: its bytes were never stored")
    )
    for place in image.places:
        values = {"file": place.file, "key": place.key, "bytes": size(place.bytes), "offset": place.offset}
        where.add(Text(plain(_PLACES[place.state].format(**values))))


def _add_copies(branch: Tree, image: ImageStory) -> None:
    if not image.copies:
        return
    shown = branch.add(_line("the same picture elsewhere", str(len(image.copies))))
    for copy in image.copies[:20]:
        outcome = (copy.outcome or "not decided").replace("_", " ")
        place = short_url(copy.page_url or copy.image_url, 160)
        style = _STYLES.get(copy.outcome, "")
        shown.add(Text.assemble(f"{copy.kind}: {place}, ", (outcome, style), f" ({plain(copy.reason)})"))


def _add_host_files(branch: Tree, files: Sequence[HostFile]) -> None:
    if not files:
        return
    shown = branch.add(_line("host files", ""))
    for file in files:
        answer = plain(file.error) or str(file.status)
        kept = f", kept in evidence/{plain(file.warc_file)} at {file.warc_offset}" if file.warc_file else ""
        node = shown.add(Text(f"{short_url(file.url, 120)}: {answer}, {moment(file.fetched_at)}{kept}"))
        if file.sha256:
            node.add(Text(f"sha256 {plain(file.sha256, 64)}", style="dim"))
        for url, status in file.hops if len(file.hops) > 1 else ():
            node.add(Text(f"{status or 'no answer'} {short_url(url, 160)}", style="dim"))
