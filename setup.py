"""Packaging of mmcluster."""
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
MIM = ('configs', 'experiments', 'tools', 'zoo', 'model-index.yml')     # what OpenMMLab's tools look for in .mim


def requirements(name: str) -> list[str]:
    """Lines of a file in requirements/."""
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text(encoding='utf-8').splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith('#')]


class BuildWithMim(build_py):
    """Puts configs, tables, tools and metafiles into the package: copies into a wheel, links into an editable checkout.

    Nothing is copied into the checkout itself, where a copy would grow old and hide what it is a copy of.
    """

    def run(self):
        """Build, then add them."""
        super().run()
        inside = (ROOT if self.editable_mode else Path(self.build_lib)) / 'mmcluster' / '.mim'
        inside.mkdir(parents=True, exist_ok=True)
        for name in MIM:
            target, source = inside / name, ROOT / name
            if target.is_symlink() or target.is_file():
                target.unlink()
            elif target.is_dir():
                shutil.rmtree(target)
            if self.editable_mode:
                target.symlink_to(Path('..', '..', name), target_is_directory=source.is_dir())
            elif source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns('__pycache__', '*.pyc'))
            else:
                shutil.copy2(source, target)


EXTRAS = {name: requirements(name) for name in
          ('tests', 'optional', 'docs', 'encoder', 'timm', 'export', 'parquet', 'faiss')}
EXTRAS['mim'] = requirements('mminstall')
EXTRAS['all'] = sorted({line for lines in EXTRAS.values() for line in lines})
VERSION: dict = {}
exec((ROOT / 'mmcluster' / 'version.py').read_text(encoding='utf-8'), VERSION)

setup(
    name='mmcluster',
    version=VERSION['__version__'],
    description='OpenMMLab-style toolbox of deep image clustering',
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    packages=find_packages(include=['mmcluster', 'mmcluster.*']),
    cmdclass={'build_py': BuildWithMim},
    entry_points={'console_scripts': ['mmcluster = mmcluster.cli:main']},
    package_data={'mmcluster.report': ['templates/*.j2', 'templates/*/*']},
    python_requires='>=3.10',
    install_requires=requirements('runtime'),
    extras_require=EXTRAS,
)
