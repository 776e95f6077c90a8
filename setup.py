"""Builds the native modules, and puts `leadline.pth`, the start-up hook, into site-packages.

Everything else about the distribution is in pyproject.toml; setuptools has no declarative way
to install a file at the root of site-packages, in a wheel and in an editable install alike.

They are optional: where they cannot be built, the install succeeds without them. The agent then
runs its core in Python, and there are no twins. `LEADLINE_CFLAGS` adds to the compiler's flags
(`make sanitize`).
"""

import os
import platform
import shutil
import sys
import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py
from setuptools.command.editable_wheel import editable_wheel

HERE = Path(__file__).parent
HOOK = HERE / "leadline.pth"
NATIVE = Path("src", "leadline", "native")
KNOWN = ((3, 12), (3, 13))
"""Whose interior `interior.c` reads; on others the core in Python runs."""
WITHOUT = {
    "leadline.native._core": "the native core is not built, the one in Python runs",
    "leadline.native._twin": "the seal of twins is not built, there will be none",
}


def extensions():
    """Return the native modules that this interpreter and machine are ones for."""
    fits = (
        sys.implementation.name == "cpython"
        and sys.version_info[:2] in KNOWN
        and not sysconfig.get_config_var("Py_GIL_DISABLED")
        and os.name == "posix"
    )
    if not fits:
        return []
    modules = [extension("_core", NATIVE / "core")]
    if sys.platform == "linux" and platform.machine() == "x86_64" and sys.maxsize > 2**32:
        modules.append(extension("_twin", NATIVE / "twin"))
    return modules


def extension(name, folder):
    """Return the module that is made of all sources in a folder."""
    flags = os.environ.get("LEADLINE_CFLAGS", "").split()
    return Extension(
        f"leadline.native.{name}",
        sources=sorted(str(folder / path.name) for path in (HERE / folder).glob("*.c")),
        depends=sorted(str(folder / path.name) for path in (HERE / folder).glob("*.h")),
        extra_compile_args=[
            "-std=gnu11",
            "-O2",
            "-Wall",
            "-Wextra",
            "-Wmissing-prototypes",
            "-fvisibility=hidden",
            *flags,
        ],
        extra_link_args=flags,
        optional="-Werror" not in flags,  # `make lint` wants to know
    )


class BuildOptional(build_ext):
    """The ordinary build; where there is no compiler it says so in one line and goes on."""

    def build_extension(self, ext):
        try:
            super().build_extension(ext)
        except Exception as error:
            if not ext.optional:
                raise
            reason = str(error).strip().partition("\n")[0]
            print(f"leadline: {WITHOUT[ext.name]} ({reason})")


class BuildWithHook(build_py):
    """The ordinary build, and the hook at the root of what is built."""

    def run(self):
        super().run()
        if not self.editable_mode:
            shutil.copy(HOOK, self.build_lib)

    def get_outputs(self, include_bytecode=True):
        return [*super().get_outputs(include_bytecode), str(Path(self.build_lib, HOOK.name))]


class EditableWithHook(editable_wheel):
    """An editable install is a wheel of its own making; the hook goes in there too."""

    def _run_build_commands(self, dist_name, unpacked_wheel, build_lib, tmp_dir):
        shutil.copy(HOOK, unpacked_wheel)
        return super()._run_build_commands(dist_name, unpacked_wheel, build_lib, tmp_dir)


setup(
    ext_modules=extensions(),
    cmdclass={
        "build_ext": BuildOptional,
        "build_py": BuildWithHook,
        "editable_wheel": EditableWithHook,
    },
)
