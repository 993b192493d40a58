"""Run every benchmark, or those named: `python -m bench [rules] [formats] [circuit] [concentrator] [path] [directory]`.

What else is on the line goes to them.
"""

import runpy
import sys

NAMES = ("rules", "formats", "circuit", "concentrator", "path", "directory")

asked = [one for one in sys.argv[1:] if one in NAMES]
options = [one for one in sys.argv[1:] if one not in NAMES]

for name in asked or NAMES:
    print(f"\n== {name}", flush=True)
    sys.argv = [f"bench/{name}.py", *options]
    runpy.run_module(f"bench.{name}", run_name="__main__")
