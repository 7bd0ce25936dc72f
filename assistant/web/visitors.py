"""Whose event it is that Gradio brings."""

from __future__ import annotations

import gradio as gr

from assistant.api.service import Service


def visitor(service: Service, http: gr.Request | None) -> str:
    """The visitor who sent a request; empty where Gradio knows of none."""
    if http is None or http.request is None:
        return ""
    return service.visitor(http.headers, http.client.host if http.client else None)
