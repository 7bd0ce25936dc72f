"""Write into NOTICE which data each adapter was trained on, and under which licences, as the adapters' manifests say.

    python scripts/notice.py

Run it after an adapter has changed; a test compares.
"""

import json
from pathlib import Path

ROOT = Path(__file__).parent.parent
# Those that no plugin brings.
ADAPTERS = (ROOT / "assistant" / "payload" / "adapter" / "onebase.json",)
START = "Data that the adapters were trained on"


def section() -> str:
    """The last section of NOTICE: a paragraph for each adapter, each source once."""
    lines = [START, ""]
    for manifest in [*ADAPTERS, *sorted((ROOT / "plugins").glob("*/adapter/onebase.json"))]:
        lines.append(f"- {manifest.parent.parent.relative_to(ROOT)}")
        sources = json.loads(manifest.read_text(encoding="utf-8"))["data"]
        named = {_named(source["path"]): source["licence"] for source in sources}
        lines += [f"  - {name}: {licence}" for name, licence in named.items()]
    return "\n".join(lines) + "\n"


def _named(path: str) -> str:
    """A data set by its folder, and a file beside the recipe by its name."""
    return path.removeprefix("./") if path.startswith("./") else str(Path(path).parent)


def notice(text: str) -> str:
    """NOTICE with that section as it should be."""
    return text.partition(START)[0].rstrip() + "\n\n" + section()


if __name__ == "__main__":
    file = ROOT / "NOTICE"
    file.write_text(notice(file.read_text(encoding="utf-8")), encoding="utf-8")
