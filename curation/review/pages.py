"""The pages of `kyodaku review`: one shell, and a piece for each picture. Every text is ours or escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any

from curation.filters import Objected
from curation.review.cases import Case, Neighbour
from kyodaku.reasons import FilterReason, Outcome
from kyodaku.report import parts
from kyodaku.report.findings import finding_line, findings_table, mask_of, rests_on
from kyodaku.report.html import Html, head_tags, join, link, say, tag
from kyodaku.report.masks import masked, png_address
from kyodaku.report.plaintext import plain
from kyodaku.report.texts import outcome_text, reason_text
from kyodaku.reviews import Judged, Review

#: Sides of the pictures that the pages ask for.
LARGE, SMALL = 1600, 320
_CLUSTER_SHOWN = 12


def asset(name: str) -> str:
    """A style or a script of these pages."""
    folder = "kyodaku.report" if name in ("page.css", "page.js") else "curation.review"
    return files(folder).joinpath(name).read_text("utf-8")


def shell(title: str, who: str, *, sampling: bool) -> str:
    """The page that everything happens in. The script asks for the pieces."""
    head = join(
        (
            tag("meta", charset="utf-8"),
            *head_tags(title),
            tag("link", rel="stylesheet", href="page.css"),
            tag("link", rel="stylesheet", href="review.css"),
            tag("link", rel="icon", href="data:,"),
        )
    )
    kind = say("sample of the release") if sampling else say("review")
    top = parts.heading(kind, title, say("{who} is looking.", who=who), [])
    body = join(
        (
            tag("header", top, tag("p", id="progress", role="status")),
            tag("main", tag("div", id="stage", aria_live="polite"), tag("div", id="batch", hidden=True)),
            _controls(sampling=sampling),
            _words(sampling=sampling),
            _help(sampling=sampling),
            tag("script", src="page.js"),
            tag("script", src="review.js"),
        )
    )
    data = tag("html", Html(f"<head>{head}</head>"), _body(body, sampling=sampling), lang="en")
    return f"<!DOCTYPE html>\n{data}\n"


def _body(content: Html, *, sampling: bool) -> Html:
    return tag("body", content, data_sampling=sampling, class_="review")


def _controls(*, sampling: bool) -> Html:
    if sampling:
        verdicts = [("good", "G", say("good")), ("bad", "B", say("bad")), ("unsure", "U", say("unsure"))]
    else:
        verdicts = [("allow", "A", say("allow")), ("drop", "D", say("drop")), ("unsure", "U", say("unsure"))]
    buttons = [
        tag("button", words, " ", tag("kbd", key), type="button", data_verdict=name, class_=f"say {name}")
        for name, key, words in verdicts
    ]
    scopes = [("one", say("this picture")), ("cluster", say("its cluster")), ("host", say("this host"))]
    scope = tag(
        "div",
        *(
            tag(
                "button",
                words,
                type="button",
                data_scope=name,
                aria_pressed="true" if name == "one" else "false",
            )
            for name, words in scopes
        ),
        role="group",
        aria_label="Scope / 範囲",
        class_="scopes",
    )
    moves = [
        ("back", "←", say("back")),
        ("next", "→", say("next")),
        ("mask", "M", say("mask")),
        ("undo", "Z", say("undo")),
        ("help", "?", say("help")),
    ]
    others = [
        tag("button", words, " ", tag("kbd", key), type="button", id=f"do-{name}")
        for name, key, words in moves
    ]
    why = tag(
        "label",
        tag("span", say("why"), " ", tag("kbd", "R")),
        tag("input", id="why", name="why", maxlength=500, autocomplete="off", list="whys"),
        tag("datalist", id="whys"),
        class_="why",
    )
    return tag(
        "footer",
        tag("p", id="told", role="status", aria_live="polite"),
        why,
        tag("div", *buttons, class_="says"),
        tag("div", None if sampling else scope, tag("div", *others, class_="moves"), class_="row"),
        class_="act",
    )


def _words(*, sampling: bool) -> Html:
    """What the script says, in both languages: it copies these."""
    texts = {
        "left": say("{open} to look at, {done} told, of {all}.", open="—", done="—", all="—"),
        "empty": say("Nothing is left to look at."),
        "why": say("Say why first; it stays for the next pictures."),
        "kept": say("It is written down."),
        "undone": say("taken back"),
        "nothing": say("There is nothing to take back."),
        "stale": say("The facts changed; look again."),
        "gone": say("The program has ended, or does not answer. Nothing was kept."),
        "blocked": say("An allow would not let it in."),
        "some": say("Some could not be allowed and were left."),
        "state-open": say("not told yet"),
        "state-allow": say("allow"),
        "state-drop": say("drop"),
        "state-unsure": say("unsure"),
        "state-good": say("good"),
        "state-bad": say("bad"),
    }
    done = say("The sample is finished: the next release carries its result if nothing else changes.")
    texts["finished"] = done if sampling else say("Run kyodaku curate to let it count.")
    return tag("div", *(tag("span", text, id=f"text-{name}") for name, text in texts.items()), hidden=True)


def _help(*, sampling: bool) -> Html:
    keys: list[tuple[str, Html]]
    if sampling:
        keys = [("G", say("good")), ("B", say("bad")), ("U", say("unsure"))]
    else:
        keys = [("A", say("allow")), ("D", say("drop")), ("U", say("unsure"))]
        keys.append(("S", say("this picture, its cluster, or all of its host for the same reason")))
    keys += [
        ("R", say("write why; Enter goes back to the picture")),
        ("← →, K J", say("the picture before, the next one")),
        ("M", say("mask on or off")),
        ("Z", say("take back what was said last")),
        ("L", say("English or Japanese")),
        ("?", say("this list")),
    ]
    if sampling:
        note = say(
            "Judge what is in the picture. A bad one is dropped by the next kyodaku curate, and the share of "
            "bad ones goes on the card."
        )
    else:
        note = say(
            "An allow lifts what set the picture aside, and only while the facts are those shown here. It "
            "lifts no refusal. A drop keeps the picture out. Verdicts count from the next kyodaku curate on."
        )
    rows = [join((tag("dt", tag("kbd", key)), tag("dd", words))) for key, words in keys]
    close = tag("button", say("close"), type="submit")
    return tag("dialog", tag("h2", say("Keys")), tag("dl", *rows), tag("p", note, class_="note"),
               tag("form", close, method="dialog"), id="help")  # fmt: skip


# --- one picture ----------------------------------------------------------------------------------------


def case_page(case: Case, said: Review | Judged | None, neighbours: Mapping[str, Neighbour]) -> str:
    """The piece for one picture. `neighbours` holds each other picture of its clusters."""
    findings = _finding_rows(case.facts)
    facts = case.facts["picture"]
    alt = next((found["alt"] for found in case.facts["found"] if found["alt"]), "")
    mask = mask_of(findings, case.reason) or mask_of(findings)
    source = f"picture/{case.uid}/large"
    width, height = _within(facts["width"], facts["height"], LARGE)
    if mask is None:
        shown = tag("img", src=source, width=width, height=height, alt=plain(alt, 300))
    else:
        shown = masked(source, width, height, alt, png_address(mask))
    size = f"{facts['format']} · {facts['width']} × {facts['height']}"
    return tag(
        "article",
        tag("div", shown, class_="view"),
        tag(
            "div",
            _why(case),
            *_first_words(case),
            _said(said, case),
            tag("p", size, class_="note"),
            tag("h3", say("What was seen")),
            findings_table(findings, case.reason),
            _found(case.facts["found"]),
            _cluster(case.facts["cluster"], neighbours),
            _crowd(case.facts.get("crowd", ())),
            class_="facts",
        ),
        data_uid=case.uid,
        data_shown=case.shown,
        data_blocked=bool(case.blocked),
    )


def batch_page(cases: Sequence[Case], scope: str) -> str:
    """Small pictures that are told about at once, each with a box to leave it out."""
    items = [_batched(case) for case in cases]
    title = say("Its cluster, {count} pictures", count=len(cases))
    if scope == "host":
        title = say("{host}, {count} pictures for the same reason", host=cases[0].host, count=len(cases))
    note = say("What you say is about those with a tick. Not more are told about at once than are shown.")
    return join((tag("h3", title), tag("p", note, class_="note"), tag("ul", *items, class_="gallery")))


def _batched(case: Case) -> Html:
    """A small picture with its mask, a box, and what its reason rests on."""
    findings = _finding_rows(case.facts)
    mask, source = mask_of(findings, case.reason), f"picture/{case.uid}/small"
    width, height = _within(case.facts["picture"]["width"], case.facts["picture"]["height"], SMALL)
    if mask is None:
        shown = tag("img", src=source, alt="", loading="lazy", width=width, height=height)
    else:
        shown = masked(source, width, height, "", png_address(mask))
    box = tag("input", type="checkbox", checked=True, data_uid=case.uid, data_shown=case.shown)
    seen = [tag("span", finding_line(row, 80), class_="small") for row in rests_on(findings, case.reason)]
    blocked = tag("strong", say("An allow would not let it in."), class_="small") if case.blocked else None
    return tag("li", tag("label", box, shown, *seen, *_first_words(case), blocked))


def _why(case: Case) -> Html:
    if not case.reason:
        return tag("h2", say("Would be released"))
    title = tag("h2", reason_text(Outcome.QUARANTINED, case.reason))
    rest = [one for one in case.objected if one.reason.value != case.reason]
    more = tag("p", say("also:"), " ", _reasons(rest)) if rest else None
    blocked = None
    if case.blocked:
        words = say("An allow would not let it in. What stands against it and no reviewer lifts:")
        blocked = tag("p", tag("strong", words), " ", _reasons(case.blocked), class_="warning")
    return join((title, more, blocked))


def _reasons(objected: Iterable[Objected]) -> Html:
    return join(
        (
            tag(
                "span",
                reason_text(_outcome(one), one.reason.value),
                " ",
                tag("code", one.name),
                class_="objected",
            )
            for one in objected
        ),
        " ",
    )


def _outcome(one: Objected) -> str:
    return (Outcome.FILTERED if isinstance(one.reason, FilterReason) else Outcome.QUARANTINED).value


def _said(said: Review | Judged | None, case: Case) -> Html | None:
    if said is None:
        return None
    words = say(
        "{who} said {verdict} on {day}: {why}",
        who=said.who,
        verdict=said.verdict.value,
        day=parts.moment(said.when),
        why=said.why or "–",
    )
    stale = None if said.shown == case.shown else tag("strong", say("The facts changed since; look again."))
    return tag("p", words, " ", stale, class_="said")


def _found(found: Sequence[Mapping[str, Any]]) -> Html:
    shown = [_place(one) for one in found[:_CLUSTER_SHOWN]]
    rest = parts.more(len(shown), len(found))
    return join((tag("h3", say("Where it was found")), tag("ul", *shown, class_="cases"), rest))


def _place(one: Mapping[str, Any]) -> Html:
    texts = [one[name] for name in ("alt", "title", "caption") if one[name]]
    words = [tag("bdi", plain(text, 300), class_="words") for text in dict.fromkeys(texts)]
    words += _words_beside(one)
    creator = (
        tag("div", say("creator"), " ", tag("bdi", plain(one["creator"], 120))) if one["creator"] else None
    )
    evidence = [
        tag(
            "li",
            tag("b", plain(licence, 80)),
            " ",
            link(url) if "://" in url else tag("bdi", plain(url, 200)),
            tag("blockquote", tag("bdi", plain(element, 300))) if element else None,
        )
        for licence, url, _, _, _, element in one["evidence"]
    ]
    signals = [
        tag(
            "li",
            tag("b", plain(protocol, 60)),
            " ",
            plain(effect, 30),
            tag("blockquote", tag("bdi", plain(raw, 300))),
        )
        for protocol, effect, _, raw, _ in one["signals"]
    ]
    return tag(
        "li",
        *words,
        tag("div", say("on the page"), " ", link(one["page_url"])) if one["page_url"] else None,
        tag("div", say("image"), " ", link(one["image_url"])),
        tag("div", _dates(one)),
        creator,
        tag("div", say("licence evidence"), tag("ul", *evidence)) if evidence else None,
        tag("div", say("signals"), tag("ul", *signals)) if signals else None,
    )


def _words_beside(one: Mapping[str, Any]) -> list[Html]:
    """What says no at one place, with the column it stands in and its whole text."""
    if "words" not in one:
        return []
    column, phrase, text = one["words"]
    said = tag("strong", tag("bdi", plain(phrase, 120)))
    quoted = tag("blockquote", tag("bdi", plain(text, 300)))
    return [tag("div", say("words beside it"), " ", tag("code", column), " ", said, quoted, class_="small")]


def _first_words(case: Case) -> list[Html]:
    """Of the places that show it or an equal or near one, the first where words say no."""
    places = [case.facts, *case.facts["cluster"]]
    return [line for place in places for one in place["found"] for line in _words_beside(one)][:1]


def _cluster(cluster: Sequence[Mapping[str, Any]], neighbours: Mapping[str, Neighbour]) -> Html | None:
    if not cluster:
        return None
    items = [_neighbour(row, neighbours[row["uid"]]) for row in cluster[:_CLUSTER_SHOWN]]
    rest = parts.more(len(items), len(cluster))
    return join((tag("h3", say("Its cluster")), tag("ul", *items, class_="gallery"), rest))


def _crowd(crowd: Sequence[Mapping[str, Any]]) -> Html | None:
    """Copies of copies that are not shown one by one."""
    if not crowd:
        return None
    reasons = sorted({said for row in crowd for said in row["against"]})
    words = say("What stands against {count} more near copies:", count=len(crowd))
    return tag("p", words, " ", join(map(_against, reasons), " "), class_="warning")


def _against(said: str) -> Html:
    outcome, _, reason = said.partition(":")
    return join((outcome_text(outcome), reason_text(outcome, reason)), ": ")


def _neighbour(row: Mapping[str, Any], near: Neighbour) -> Html:
    if near.may_show:
        shown = tag("img", src=f"picture/{row['uid']}/small", alt="", loading="lazy", width=160, height=160)
    else:
        shown = tag("span", say("not shown"), class_="gone")
    fate = join((outcome_text(near.outcome), reason_text(near.outcome, near.reason)), ": ")
    licences = {item[0] for found in row["found"] for item in found["evidence"]}
    told = f"{row['kind']} {row['distance']:g} {row['transform']}".strip()
    fates = {f"{near.outcome}:{near.reason}": fate} | {one: _against(one) for one in row.get("against", ())}
    lines = [plain(told, 120), *fates.values(), plain(", ".join(sorted(licences)), 120)]
    lines += [
        join((link(found["page_url"] or found["image_url"]), _dates(found)), " ")
        for found in row["found"][:3]
    ]
    words = [line for found in row["found"] for line in _words_beside(found)]
    caption = tag("figcaption", *(tag("span", line, class_="small") for line in lines if line), *words[:1])
    return tag("li", tag("figure", tag("div", shown, class_="frame"), caption))


def _dates(found: Mapping[str, Any]) -> Html:
    """When it was found, and since when its server says it is so."""
    modified = tag("bdi", plain(found["last_modified"], 60)) if found["last_modified"] else Html("–")
    return say(
        "found {day}, last modified {modified}", day=parts.moment(found["found_at"]), modified=modified
    )


def _finding_rows(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{**row, "mask": bytes.fromhex(row["mask"])} for row in facts["findings"]]


def _within(width: int, height: int, side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(width, height, 1))
    return max(1, round(width * scale)), max(1, round(height * scale))
