"""Run every benchmark, or those named: `python -m bench [circuit] [rules]`."""

import runpy
import sys

NAMES = ("rules", "circuit")

for name in sys.argv[1:] or NAMES:
    print(f"\n== {name}", flush=True)
    sys.argv = [f"bench/{name}.py"]
    runpy.run_module(f"bench.{name}", run_name="__main__")
