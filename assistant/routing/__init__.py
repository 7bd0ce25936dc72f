"""Which application a message is for, and why.

Order: slash command, the application pinned on the page, a follow-up on the conversation, a question about an
attached document, the best vote. A close call or a low score is asked back, never guessed.
"""

from assistant.routing.router import Router

__all__ = ["Router"]
