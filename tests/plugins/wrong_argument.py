"""A hook with an argument that the hook does not have."""

from assistant import hookimpl


@hookimpl
def vote_route(request, embeddings):
    return []
