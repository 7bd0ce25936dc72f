"""The page: Gradio, and nothing below `core` knows of it.

app       the page as a whole, and starting it
chat      the chat tab: components and events
teach     the teach tab
lesson    what it does, without the page
plugins   the plugins tab
render    reply parts as escaped HTML
storage   what the browser keeps: conversations as values and as JSON
export    a conversation as Markdown
language  the interface's strings, one JSON file a language
"""
