"""What is served beside the page: endpoints for programs, and bounds on what one visitor may ask. No Gradio.

service           the assistant as visitors have it: bounded and counted
visitors          who a visitor is, and sliding windows
guard             bounds on requests and uploads, before anything reads them
chat_completions  /v1: what OpenAI's clients speak
tools             /mcp: each application as a tool of the Model Context Protocol
metrics           what is counted, for Prometheus
endpoints         all of it as arguments for a Starlette application
"""
