"""Reply parts as HTML. Pure functions from values to markup; whatever comes in as text leaves escaped.

Gradio puts an HTML component's value into the page as it stands, so this module is where a visitor's words,
a document's and a plugin's become harmless. The tags used here have their looks in `style.css`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import singledispatch
from html import escape, unescape

from assistant.applications import (
    Citation,
    Labels,
    LabelScore,
    Notice,
    Progress,
    Reply,
    ReplyPart,
    Span,
    Spans,
    Suggestion,
    Suggestions,
    Table,
    Text,
)
from assistant.web.language import Strings

# Of a distribution over more labels than this, only the most probable are shown.
MAX_BARS = 8
MAX_ROWS = 200


def reply_html(reply: Reply, titles: Mapping[str, str], strings: Strings, *, stopped: bool = False) -> str:
    """One reply. `titles` are the applications' by id; `stopped` says that nothing more will come."""
    parts = [part_html(part, strings) for part in reply.parts if not isinstance(part, Notice)]
    if stopped:
        parts.append(_paragraph(strings("stopped"), "notice"))
    parts += [part_html(part, strings) for part in reply.parts if isinstance(part, Notice)]
    if reply.done:
        parts.append(why_html(reply, titles, strings))
    kind = "reply failed" if reply.failed else "reply"
    return f'<article class="{kind}" lang="{strings.language}">{"".join(parts)}</article>'


@singledispatch
def part_html(part: ReplyPart, strings: Strings) -> str:
    """One part of a reply."""
    raise TypeError(f"{type(part).__name__} is no reply part.")


@part_html.register
def _(part: Text, strings: Strings) -> str:
    text = "".join(_paragraph(text, "sentence") for text in re.split(r"\n{2,}", part.text.strip("\n")))
    if not part.copyable:
        return text
    copy, copied = escape(strings("copy")), escape(strings("copied"), quote=True)
    return (
        f'<div class="result"><div>{text}</div>'
        f'<button type="button" class="copy" data-done="{copied}">{copy}</button></div>'
    )


@part_html.register
def _(part: Progress, strings: Strings) -> str:
    total = max(1, part.total)
    done = min(max(0, part.done), total)
    label = escape(part.text, quote=True)
    return f'{_paragraph(part.text, "notice")}<progress max="{total}" value="{done}" aria-label="{label}"></progress>'


@part_html.register
def _(part: Notice, strings: Strings) -> str:
    return _paragraph(part.text, "notice review")


@part_html.register
def _(part: Labels, strings: Strings) -> str:
    if not part.scores:
        return ""
    rows = "".join(_bar(score, strings) for score in part.scores[:MAX_BARS])
    if part.unsure:
        badge = f'<span class="badge">{escape(strings("not_sure"))}</span>'
        heading = f"<h4>{badge}{escape(strings('alternatives'))}</h4>"
    else:
        heading = f'<h4 class="quiet">{escape(strings("probabilities"))}</h4>'
    return f'<section class="labels{" unsure" if part.unsure else ""}">{heading}<ul>{rows}</ul></section>'


@part_html.register
def _(part: Spans, strings: Strings) -> str:
    spans = tuple(_in_order(part.spans, len(part.text)))
    weighted = is_weighted(spans)
    heading = escape(spans_heading(replace(part, spans=spans), strings))
    pieces, position = [], 0
    for span in spans:
        pieces.append(escape(part.text[position : span.start]))
        pieces.append(_span(span, part.text[span.start : span.end], strings, weighted=weighted))
        position = span.end
    pieces.append(escape(part.text[position:]))
    legend = _legend(spans, strings) if weighted else ""
    return (
        f'<figure class="evidence"><figcaption><h4 class="quiet">{heading}</h4>{legend}</figcaption>'
        f'<p dir="auto" tabindex="0" role="group" aria-label="{heading}">{"".join(pieces)}</p></figure>'
    )


@part_html.register
def _(part: Citation, strings: Strings) -> str:
    source = escape(strings("source", document=part.document, page=part.page))
    return f'<blockquote dir="auto"><p>{escape(part.quote)}</p><cite>{source}</cite></blockquote>'


@part_html.register
def _(part: Table, strings: Strings) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in part.columns)
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in part.rows[:MAX_ROWS]
    )
    more = _paragraph(f"… + {strings.number(len(part.rows) - MAX_ROWS)}", "notice") * (
        len(part.rows) > MAX_ROWS
    )
    return (
        f'<div class="table" tabindex="0"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{more}"
    )


@part_html.register
def _(part: Suggestions, strings: Strings) -> str:
    return ""  # buttons are the page's own, see `suggestions`


def spans_heading(part: Spans, strings: Strings) -> str:
    """What the spans are together: changes, things found, or the words that mattered."""
    if any(span.replacement is not None for span in part.spans):
        return strings("changes")
    if not is_weighted(part.spans):
        return strings("found_in")
    if part.title and part.title != "text":
        return strings("evidence_in", field=readable(part.title))
    return strings("evidence")


def is_weighted(spans: Sequence[Span]) -> bool:
    """Whether the spans' weights are what they tell, not their labels or what would replace them."""
    return all(span.replacement is None for span in spans) and len({span.label for span in spans}) <= 1


def suggestions(reply: Reply) -> list[Suggestion]:
    """What a reply offers as buttons."""
    return [option for part in reply.parts if isinstance(part, Suggestions) for option in part.options]


def why_html(reply: Reply, titles: Mapping[str, str], strings: Strings) -> str:
    """The foldout: who answered, why it was chosen, with what, how fast."""
    route = reply.route
    digits = 1 if reply.milliseconds < 10 else 0
    milliseconds = strings("milliseconds", value=strings.number(reply.milliseconds, digits))
    title = answered_by(reply, titles) or strings("assistant")
    rows = [(strings("chosen_because"), route.reason)] if route.reason else []
    if route.application:
        rows.insert(0, (strings("answered_by"), title))
        rows.append((strings("router_score"), strings.percent(route.score)))
        rows.append((strings("adapter"), reply.adapter or strings("no_adapter")))
    if route.alternatives:
        others = (f"{titles.get(id_, id_)} ({strings.percent(score)})" for id_, score in route.alternatives)
        rows.append((strings("other_applications"), ", ".join(others)))
    rows += [
        (strings("threshold"), strings.percent(part.threshold))
        for part in reply.parts
        if isinstance(part, Labels) and part.threshold > 0
    ]
    rows.append((strings("time"), milliseconds))
    return (
        f'<details class="why"><summary><span>{escape(title)}</span><span>{escape(milliseconds)}</span>'
        f"<span>{escape(strings('why'))}</span></summary>{definitions(rows)}</details>"
    )


def answered_by(reply: Reply, titles: Mapping[str, str]) -> str:
    """What the application that answered is called; empty where none did. One that is not installed (a taught skill, or
    since removed) bears the title that the reply came with."""
    id_ = reply.route.application or ""
    return titles.get(id_) or reply.title or id_


def definitions(rows: Iterable[tuple[str, str]]) -> str:
    """Names and values, one a line."""
    lines = (f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in rows)
    return f"<dl>{''.join(lines)}</dl>"


def readable(name: str) -> str:
    """A label or field name for people: underscores are spaces."""
    return name.replace("_", " ")


def literal(text: str) -> str:
    """Text for a chat bubble that Gradio reads as (sanitized) HTML, escaped only where HTML would act.

    A person who edits or copies the message gets this form, so an innocent "R&D <3" stays as it was typed.
    `unescape` gives the text back.
    """
    text = re.sub(r"&[#\w][^&<\s]{0,40}", _escaped_entity, text)
    return re.sub(r"<(?=[a-zA-Z/!?])", "&lt;", text)


def _escaped_entity(match: re.Match[str]) -> str:
    return match[0] if unescape(match[0]) == match[0] else f"&amp;{match[0][1:]}"


def _paragraph(text: str, kind: str) -> str:
    return f'<p class="{kind}" dir="auto">{escape(text)}</p>'


def _bar(score: LabelScore, strings: Strings) -> str:
    """A row with the label, a bar and the value as text; the bar says nothing that the text does not."""
    width = max(0.0, min(100.0, score.probability * 100))
    return (
        f'<li><span class="label">{escape(readable(score.label))}</span>'
        f'<span class="bar" aria-hidden="true"><span style="width:{width:.1f}%"></span></span>'
        f'<span class="value">{escape(strings.percent(score.probability))}</span></li>'
    )


def _in_order(spans: Sequence[Span], length: int) -> Iterable[Span]:
    """The spans from left to right; one that overlaps an earlier one or lies outside the text is left out."""
    position = 0
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        if position <= span.start <= span.end <= length and (span.start < span.end or span.replacement):
            yield span
            position = span.end


def _span(span: Span, text: str, strings: Strings, *, weighted: bool) -> str:
    if span.replacement is not None:
        removed = f"<del>{escape(text)}</del>" if text else ""
        added = f"<ins>{escape(span.replacement)}</ins>" if span.replacement else ""
        return f'<span class="change" title="{escape(readable(span.label))}">{removed}{added}</span>'
    if not weighted:
        return f'<mark class="tag">{escape(text)}<small>{escape(readable(span.label))}</small></mark>'
    weight = max(-1.0, min(1.0, span.weight))
    kind = "for" if weight >= 0 else "against"
    said = f"{'+' if weight >= 0 else '−'}{strings.number(abs(weight), 2)}"
    # The square root keeps small weights visible.
    strength = 0.15 + 0.85 * abs(weight) ** 0.5
    return f'<mark class="{kind}" style="--weight:{strength:.2f}" title="{said}">{escape(text)}</mark>'


def _legend(spans: Sequence[Span], strings: Strings) -> str:
    if not spans:
        return f'<span class="legend">{escape(strings("no_evidence"))}</span>'
    shown = escape(strings("speaks_for", label=readable(spans[0].label)))
    marks = f'<mark class="for" style="--weight:0.7">{shown}</mark>'
    if any(span.weight < 0 for span in spans):
        marks += f'<mark class="against" style="--weight:0.7">{escape(strings("speaks_against"))}</mark>'
    return f'<span class="legend">{marks}</span>'
