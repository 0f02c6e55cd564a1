"""`docs/reasons.md`, made from the enums: python -m kyodaku.reasons_doc > docs/reasons.md"""

from __future__ import annotations

import sys

from kyodaku.reasons import REASONS_OF_OUTCOME, Outcome, Verdict

_MEANING = {
    Outcome.RELEASED: "The image is in the release; the reason says on what ground.",
    Outcome.REFUSED: "Somebody said no, or nothing said the yes that the recipe's basis needs. Never taken.",
    Outcome.HELD: "The answer could not be known. Asked again at the recipe's intervals, never taken.",
    Outcome.FILTERED: "Permitted, but not fit for the set.",
    Outcome.QUARANTINED: "Set aside until a person looks.",
    Outcome.DUPLICATE: "Another candidate stands for the same picture.",
    Outcome.FAILED: "It could not be fetched or read; no permission was in question.",
    Outcome.NOT_REQUESTED: "Never asked for, by our own limits.",
}

_HEAD = """\
# Reasons

Every candidate ends with one outcome and one reason. The reasons are closed lists (`kyodaku/reasons.py`);
this page is made from them: `python -m kyodaku.reasons_doc > docs/reasons.md`.

A **verdict** ({verdicts}) is what a decision says; the **outcome** is where the candidate ended.
"""


def reasons_text() -> str:
    """The whole page, in Markdown."""
    parts = [_HEAD.format(verdicts=", ".join(f"`{verdict}`" for verdict in Verdict))]
    for outcome, reasons in REASONS_OF_OUTCOME.items():
        rows = [f"| `{reason.value}` | {reason.text} |" for reason in reasons]
        parts.append(f"## {outcome.value}\n\n{_MEANING[outcome]}\n")
        parts.append("\n".join(["| reason | what it means |", "|---|---|", *rows]) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(reasons_text())
