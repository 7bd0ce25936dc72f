"""Hypothesis strategies for replies, with texts that would act if they got into a page as they are."""

from hypothesis import strategies as st

from assistant import (
    Citation,
    Labels,
    LabelScore,
    Notice,
    Payload,
    Progress,
    Reply,
    Route,
    Span,
    Spans,
    Suggestion,
    Suggestions,
    Table,
    Text,
)

HOSTILE = "<script>alert(1)</script> <img src=x onerror=alert(2)> &lt;b&gt; \" ' `"

texts = st.one_of(
    st.just(HOSTILE), st.text(max_size=40), st.text(alphabet="<>&\"'/!=script imgonerror;#x3c", max_size=30)
)
weights = st.floats(-1, 1)
spans = st.builds(Span, st.integers(-3, 45), st.integers(-3, 45), texts, weights, st.one_of(st.none(), texts))
parts = st.one_of(
    st.builds(Text, texts),
    st.builds(Notice, texts, texts),
    st.builds(Progress, st.integers(-3, 99), st.integers(-3, 99), texts),
    st.builds(
        Labels,
        st.lists(st.builds(LabelScore, texts, st.floats(0, 1)), max_size=4).map(tuple),
        st.floats(0, 1),
    ),
    st.builds(Spans, texts, st.lists(spans, max_size=4).map(tuple), texts),
    st.builds(Citation, texts, st.integers(1, 99), texts),
    st.builds(Table, st.tuples(texts, texts), st.lists(st.tuples(texts, texts), max_size=3).map(tuple)),
    st.builds(Suggestions, st.lists(st.builds(Suggestion, texts, texts), max_size=2).map(tuple)),
)
replies = st.builds(
    Reply,
    st.builds(Route, st.one_of(st.none(), texts), st.floats(0, 1), texts),
    st.lists(parts, max_size=4).map(tuple),
    st.one_of(
        st.none(),
        st.builds(Payload, st.dictionaries(texts, st.one_of(texts, st.tuples(texts, texts)), max_size=2)),
    ),
    st.one_of(st.none(), texts),
    st.floats(0, 1e6),
    st.booleans(),
)
