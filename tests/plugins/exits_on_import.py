"""A script that was taken for a plugin."""

import sys

sys.exit("usage: exits_on_import FILE")
