"""Puts `leadline.pth`, the start-up hook, beside the package in site-packages.

Everything else about the distribution is in pyproject.toml; setuptools has no declarative way
to install a file at the root of site-packages, in a wheel and in an editable install alike.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.editable_wheel import editable_wheel

HOOK = Path(__file__).parent / "leadline.pth"


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


setup(cmdclass={"build_py": BuildWithHook, "editable_wheel": EditableWithHook})
