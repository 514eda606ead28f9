"""What pyproject.toml cannot say: build the libraries, name the wheel after what they need, say what is inside."""

import sys
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

sys.path.insert(0, str(Path(__file__).resolve().parent))  # a PEP 517 build does not put it there

import build_native
from release import sbom


class BuildWithNative(build_py):
    """Builds the libraries into the source tree first, where the package data patterns find them."""

    def run(self) -> None:
        build_native.build()
        super().run()


class PlatformWheel(bdist_wheel):
    """One wheel for every CPython: cffi opens the libraries at run time, no extension module is linked."""

    def get_tag(self) -> tuple[str, str, str]:
        platform = build_native.platform_tag() or super().get_tag()[2]
        return "py3", "none", platform

    def write_wheelfile(self, wheelfile_base: str, *arguments: str) -> None:
        super().write_wheelfile(wheelfile_base, *arguments)
        folder = Path(wheelfile_base) / "sboms"
        folder.mkdir(exist_ok=True)
        text = sbom.text(build_native.NATIVE, self.distribution.install_requires)
        (folder / "pykafarr.cdx.json").write_text(text)


class NativeDistribution(Distribution):
    def has_ext_modules(self) -> bool:
        return True


try:
    setup(distclass=NativeDistribution, cmdclass={"build_py": BuildWithNative, "bdist_wheel": PlatformWheel})
except build_native.NativeBuildError as error:
    sys.exit(f"error: {error}")
