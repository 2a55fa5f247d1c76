"""Packaging of mmcluster."""
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent


def requirements(name: str) -> list[str]:
    """Lines of a file in requirements/."""
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text(encoding='utf-8').splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith('#')]


EXTRAS = {name: requirements(name) for name in ('tests', 'optional', 'docs', 'encoder', 'timm', 'export')}
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
    entry_points={'console_scripts': ['mmcluster = mmcluster.cli:main']},
    package_data={'mmcluster.report': ['templates/*.j2', 'templates/*/*']},
    python_requires='>=3.10',
    install_requires=requirements('runtime'),
    extras_require=EXTRAS,
)
