"""OneBase: a chat assistant whose skills are plugins, each a tiny adapter on one shared, quantized base model.

This is what a plugin author imports. It imports neither torch nor transformers nor gradio.
"""

from assistant.applications import (
    Application,
    Citation,
    Document,
    Labels,
    LabelScore,
    Notice,
    Payload,
    Progress,
    Reply,
    ReplyPart,
    Request,
    Route,
    Span,
    Spans,
    Suggestion,
    Suggestions,
    Table,
    Text,
    Turn,
    Vote,
)
from assistant.classification import TextClassification
from assistant.errors import AssistantError, InputError, PluginError
from assistant.hookspecs import hookimpl
from assistant.splitting import Stretch, split_sentences
from assistant.workshop.methods import Classifier, Fitted, LabelledTask, Method

__version__ = "0.1.0"

__all__ = [
    "Application",
    "AssistantError",
    "Citation",
    "Classifier",
    "Document",
    "Fitted",
    "InputError",
    "LabelScore",
    "LabelledTask",
    "Labels",
    "Method",
    "Notice",
    "Payload",
    "PluginError",
    "Progress",
    "Reply",
    "ReplyPart",
    "Request",
    "Route",
    "Span",
    "Spans",
    "Stretch",
    "Suggestion",
    "Suggestions",
    "Table",
    "Text",
    "TextClassification",
    "Turn",
    "Vote",
    "hookimpl",
    "split_sentences",
]
