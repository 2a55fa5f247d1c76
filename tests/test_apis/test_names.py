"""Names that are imported when they are first used are what the pages say, not modules of the same name."""
import pkgutil

import pytest

import mmcluster
import mmcluster.apis


@pytest.mark.parametrize('package', [mmcluster, mmcluster.apis], ids=lambda package: package.__name__)
def test_no_lazy_name_is_a_module(package):
    # importing a module binds its name in the package, which would hide a function of that name for good
    assert not set(package._NAMES) & {module.name for module in pkgutil.iter_modules(package.__path__)}


def test_the_functions_of_the_page_on_python():
    from mmcluster.apis import Settings, assign, cluster_folder, export
    assert all(map(callable, (Settings, assign, cluster_folder, export)))
