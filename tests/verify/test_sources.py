"""Which file a diff means by a name."""

import pytest

from leadline.verify.sources import finder


@pytest.fixture
def trees(tmp_path):
    """A repository, beneath which the service has its code, and another checkout of that."""
    for folder in ("repo/src/service/shop", "checkout/shop", "repo/src/service/other"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "pricing.py").write_text(f"# {folder}\n")
    return tmp_path


@pytest.mark.parametrize(
    ("first", "name", "found"),
    [
        (False, "src/service/shop/pricing.py", "repo/src/service/shop/pricing.py"),
        (True, "src/service/shop/pricing.py", "checkout/shop/pricing.py"),
        (True, "shop/pricing.py", "checkout/shop/pricing.py"),
        (True, "service/other/pricing.py", "repo/src/service/other/pricing.py"),
        (True, "shop/nothing.py", None),
    ],
)
def test_a_checkout_that_is_named_comes_first(trees, first, name, found):
    path = [str(trees / one) for one in ("checkout", "repo/src/service", "repo")]
    read = finder(path, str(trees), path[:1] if first else ())
    assert (read(name) or (None,))[0] == (found and str(trees / found))
