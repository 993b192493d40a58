"""Run every benchmark, or those named: `python -m bench [rules] [formats] [circuit]`."""

import runpy
import sys

NAMES = ("rules", "formats", "circuit")

for name in sys.argv[1:] or NAMES:
    print(f"\n== {name}", flush=True)
    sys.argv = [f"bench/{name}.py"]
    runpy.run_module(f"bench.{name}", run_name="__main__")
