"""What a Hugging Face Space runs from this repository: the page for strangers."""

import os
from pathlib import Path

from assistant.cli import main
from assistant.space import use_source_tree

use_source_tree(Path(__file__).parent)
# One proxy stands before a Space and says who the visitor is.
os.environ.setdefault("ONEBASE_PROXIES", "1")
port = os.environ.get("GRADIO_SERVER_PORT", "7860")
main(["serve", "--public", "--host", "0.0.0.0", "--port", port])  # noqa: S104  (a Space is open to all)
