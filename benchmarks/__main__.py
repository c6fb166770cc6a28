"""Run every benchmark: `python -m benchmarks`, or some by name: `python -m benchmarks engine`."""

import importlib
import pkgutil
import sys

import benchmarks

names = sys.argv[1:] or sorted(
    module.name
    for module in pkgutil.iter_modules(benchmarks.__path__)
    if not module.name.startswith("_")
)
for name in names:
    print(f"== {name}")
    importlib.import_module(f"benchmarks.{name}").main()
