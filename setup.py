"""Builds the Swift engine with SwiftPM and links it, with the Swift runtime inside, into one extension module."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
PRODUCT = "DeepMotifEngine"

# Order does not matter within the group; between libdispatch and its Swift overlay it would.
SWIFT_LIBRARIES = [
    "swiftCore",
    "swift_Concurrency",
    "swift_StringProcessing",
    "swift_RegexParser",
    "swiftSynchronization",
    "swiftGlibc",
    "swiftDispatch",
    "dispatch",
    "BlocksRuntime",
]


class SwiftBuildExt(build_ext):
    """build_ext that first builds the engine's static library."""

    def build_extension(self, ext: Extension) -> None:
        swift = os.environ.get("SWIFT") or shutil.which("swift")
        if not swift:
            raise SystemExit("building from source needs a Swift 6 toolchain: put swift on PATH or set SWIFT")
        # SwiftPM has a C compiler of its own; settings meant for the extension's must not reach it.
        env = {k: v for k, v in os.environ.items() if k not in ("CC", "CXX", "LD", "CFLAGS", "LDFLAGS")}
        command = [swift, "build", "--package-path", str(ROOT), "--scratch-path", str(ROOT / ".build")]
        command += ["-c", "debug" if self.debug else "release", "--product", PRODUCT]
        subprocess.run(command, check=True, env=env, stdout=sys.stderr)
        archive = Path(self._ask([*command, "--show-bin-path"], env)) / f"lib{PRODUCT}.a"
        self._link_swift(ext, swift, archive, env)
        super().build_extension(ext)

    @staticmethod
    def _ask(command: list[str], env: dict[str, str]) -> str:
        return subprocess.run(command, check=True, env=env, text=True, capture_output=True).stdout.strip()

    def _link_swift(self, ext: Extension, swift: str, archive: Path, env: dict[str, str]) -> None:
        info = json.loads(self._ask([swift, "-print-target-info", "-static-stdlib"], env))
        runtime = Path(info["paths"]["runtimeLibraryPaths"][0])
        # swiftrt.o registers the type metadata; without it the module links, and crashes at the first cast.
        startup = runtime / info["target"]["triple"].split("-")[0] / "swiftrt.o"
        if not startup.exists():
            startup = runtime / info["target"]["arch"] / "swiftrt.o"
        ext.extra_objects = [str(startup), str(archive)]
        ext.depends = [*ext.depends, str(archive)]
        exports = Path(self.build_temp) / "exports.map"
        exports.parent.mkdir(parents=True, exist_ok=True)
        exports.write_text("{ global: PyInit__native; local: *; };\n")
        ext.extra_link_args = [
            f"-L{runtime}",
            "-Wl,--start-group",
            *(f"-l{name}" for name in SWIFT_LIBRARIES),
            "-Wl,--end-group",
            *("-lstdc++", "-lm", "-lpthread", "-ldl"),
            f"-Wl,--version-script={exports}",
            *("-Wl,--gc-sections", "-Wl,-z,relro", "-Wl,-z,now"),
            *([] if self.debug else ["-Wl,-s"]),
        ]
        # An interpreter built with a run path would leave its own directory in the extension.
        self.compiler.linker_so = [part for part in self.compiler.linker_so if not part.startswith("-Wl,-rpath")]


setup(
    ext_modules=[
        Extension(
            "deepmotif._native",
            sources=sorted(str(p.relative_to(ROOT)) for p in (ROOT / "python/ext").glob("*.c")),
            depends=["python/ext/common.h", "Sources/CDeepMotif/include/deepmotif.h"],
            include_dirs=[numpy.get_include(), "Sources/CDeepMotif/include"],
            define_macros=[
                ("NPY_NO_DEPRECATED_API", "NPY_1_25_API_VERSION"),
                ("NPY_TARGET_VERSION", "NPY_1_25_API_VERSION"),
                ("Py_LIMITED_API", "0x030B0000"),
            ],
            py_limited_api=True,
            extra_compile_args=["-std=c11", "-O2", "-fvisibility=hidden", "-Wall", "-Wextra"],
        )
    ],
    cmdclass={"build_ext": SwiftBuildExt},
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
