"""Builds the wheel and uses it as a stranger would: new environment, no Swift on PATH, an old processor.

Run by `make test` as a program of its own, because pip and SwiftPM do the work. Dependencies are those of the
environment that runs it, so that nothing is downloaded.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LARGEST_WHEEL = 12e6  # bytes
LONGEST_IMPORT = 0.15  # seconds over `import numpy`
SYSTEM_LIBRARIES = {"libstdc++.so.6", "libgcc_s.so.1", "libm.so.6", "libc.so.6", "ld-linux-x86-64.so.2"}

USE = """
import numpy as np, deepmotif as dm
X, y = dm.simulate(200, length=40, motifs="TGACTCA", random_state=0)
for kind in (dm.CNN(filters=8, kernel_sizes=(7, 3)), dm.RNN(hidden=5), dm.CNNRNN(filters=8, kernel_size=7, hidden=5)):
    model = kind.set_params(epochs=1, random_state=0).fit(X, y)
    assert np.isfinite(dm.saliency(model, X[:3])).all()
print("used", dm.__file__)
"""

IMPORT_TIME = """
import time, numpy
start = time.perf_counter()
import deepmotif
print(time.perf_counter() - start)
"""


def run(command: list, **options) -> str:
    done = subprocess.run([str(c) for c in command], text=True, capture_output=True, check=False, **options)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def check(condition: bool, text: str) -> None:
    print(("ok      " if condition else "FAILED  ") + text, flush=True)
    if not condition:
        raise SystemExit(1)


def check_linkage(library: Path) -> None:
    needed = set(re.findall(r"NEEDED.*\[(.+)\]", run(["readelf", "-d", library])))
    check(needed <= SYSTEM_LIBRARIES, f"the extension needs system libraries only: {sorted(needed)}")
    check("RUNPATH" not in run(["readelf", "-d", library]), "the extension has no run path")
    symbols = [line.split()[-1] for line in run(["nm", "-D", "--defined-only", library]).splitlines()]
    check(symbols == ["PyInit__native"], f"the extension exports its init symbol only: {symbols}")


def build_wheel(work: Path) -> Path:
    run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", work, ROOT])
    (wheel,) = work.glob("*.whl")
    size = wheel.stat().st_size
    check(size <= LARGEST_WHEEL, f"{wheel.name} has {size / 1e6:.1f} MB, at most {LARGEST_WHEEL / 1e6:.0f} allowed")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".so"))
        archive.extract(name, work)
    check_linkage(work / name)
    return wheel


def use_wheel(work: Path, wheel: Path) -> None:
    venv.create(work / "venv", with_pip=True)
    python = work / "venv/bin/python"
    run([python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel])
    places = os.environ["PATH"].split(os.pathsep)
    environment = {
        "PATH": os.pathsep.join(p for p in places if not (Path(p) / "swift").exists()),
        "PYTHONPATH": sysconfig.get_paths()["purelib"],
        "HOME": str(work),
    }
    options = {"cwd": work, "env": environment}
    origin = run([python, "-c", USE], **options).split()[-1]
    check(origin.startswith(str(work)), "the installed wheel trains and explains without Swift on PATH")
    seconds = min(float(run([python, "-c", IMPORT_TIME], **options)) for _ in range(5))
    check(seconds <= LONGEST_IMPORT, f"import deepmotif takes {seconds:.3f} s over import numpy")
    run([python, "-c", USE], cwd=work, env={**environment, "DEEPMOTIF_ISA": "baseline"})
    check(True, "the baseline instruction level trains and explains")
    emulator = shutil.which("qemu-x86_64")
    if emulator:
        # NumPy's own wheels need x86-64-v2, which Nehalem is.
        run([emulator, "-cpu", "Nehalem", python, "-c", USE], **options)
        check(True, "an emulated processor without AVX trains and explains")
    else:
        print("skipped the emulated processor without AVX: qemu-x86_64 is not installed")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        use_wheel(work, build_wheel(work))


if __name__ == "__main__":
    main()
