"""Run every benchmark: `python -m benchmarks`, or some by name: `python -m benchmarks engine`.

Options are passed on to each.
"""

import importlib
import pkgutil
import sys

import benchmarks

known = sorted(
    module.name
    for module in pkgutil.iter_modules(benchmarks.__path__)
    if not module.name.startswith("_")
)
for name in [name for name in known if name in sys.argv[1:]] or known:
    print(f"== {name}")
    importlib.import_module(f"benchmarks.{name}").main()
