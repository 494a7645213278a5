"""Check that no kernel of one instruction level can take the place of another level's. Tests.

The same sources are compiled once per instruction level. A weak symbol of equal name in two copies would let the
linker keep either one, and an old processor might meet AVX-512 code. Weak text symbols must therefore bear the name
of their own module, and no global symbol may occur twice. Usage: check_kernel_symbols.py BUILD_DIRECTORY, the
directory of a release build (what ``swift build -c release --show-bin-path`` prints).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

MODULES = ("DeepMotifKernels", "DeepMotifKernelsAVX2", "DeepMotifKernelsAVX512")


def text_symbols(path: Path) -> list[tuple[str, str]]:
    """Kind (T, W) and name of the global functions that an object file defines."""
    listing = subprocess.run(["nm", "--defined-only", str(path)], check=True, capture_output=True, text=True).stdout
    entries = (line.split() for line in listing.splitlines())
    return [(entry[1], entry[2]) for entry in entries if len(entry) == 3 and entry[1] in "TWw"]


def main(arguments: list[str]) -> int:
    """Return 0 where every module is clean, 1 with a list of offenders, 2 for bad usage."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("usage: check_kernel_symbols.py BUILD_DIRECTORY", file=sys.stderr)
        return 2
    failures = 0
    owners: dict[str, str] = {}
    found = 0
    for module in MODULES:
        for path in sorted(Path(arguments[0], f"{module}.build").glob("**/*.o")):
            found += 1
            for kind, name in text_symbols(path):
                if kind != "T" and not name.startswith(f"$s{len(module)}{module}"):
                    print(f"{module}/{path.name}: weak text symbol {name}", file=sys.stderr)
                    failures += 1
                if owners.setdefault(name, module) != module:
                    print(f"{module}/{path.name}: {name} is also defined in {owners[name]}", file=sys.stderr)
                    failures += 1
    if found == 0:
        print(f"no objects of {MODULES[0]} under {arguments[0]}", file=sys.stderr)
        return 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
