"""Write requirements.txt, which Hugging Face Spaces installs: exactly what is installed here.

    python scripts/requirements.py

Run it in an environment that `pip install -e .` made, after a change of dependencies in pyproject.toml. The
README's `sdk_version` has to name the same version of Gradio; a test compares them.
"""

from pathlib import Path

import tomllib

from assistant.space import pins

ROOT = Path(__file__).parent.parent

if __name__ == "__main__":
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = ["# Written by scripts/requirements.py.", *pins(project["dependencies"])]
    (ROOT / "requirements.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
