"""An order for a twin is obeyed where the service wants twins, and only if it is signed where
the service wants that."""

import hashlib
import hmac
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.agent.twin.order import Orders, check_order
from leadline.agent.twin.terms import Terms, check_terms, terms
from leadline.wire.errors import LeadlineError
from leadline.wire.probe import Anchor, TwinProbe
from leadline.wire.struct import replace
from leadline.wire.target import Target
from leadline.wire.twin import TwinPolicy, TwinUse, is_signed, line_text, order_text, sign

KEY = "a key of the service's own"
OPEN = Terms(policy=TwinPolicy.READONLY)
SIGNED = Terms(policy=TwinPolicy.READONLY, key=KEY)


def order(**changes: object) -> TwinProbe:
    """Return an order that is signed, then changed."""
    plain = TwinProbe(
        id="p1",
        target=Target("app.py", 3),
        use=TwinUse.ASK,
        code=("order.total()",),
        nonce="n1",
        signed_until=time.time() + 60,
    )
    signed = replace(plain, signature=sign(KEY, order_text("shop", plain)))
    return replace(signed, **changes)


def slug(terms: Terms, probe: TwinProbe, service: str = "shop", instance: str = "i1") -> str:
    try:
        check_order(terms, probe, service, instance)
    except LeadlineError as error:
        return error.slug
    return ""


@given(st.text(), st.text())
def test_the_signature_is_hmac_sha256(key: str, text: str) -> None:
    plain = text.encode("ascii", "replace").decode("ascii")
    secret = key.encode("utf-8", "surrogatepass")
    assert sign(key, plain) == hmac.new(secret, plain.encode(), hashlib.sha256).hexdigest()
    assert is_signed(key, plain, sign(key, plain))
    assert not is_signed(key, plain + ".", sign(key, plain))


@pytest.mark.parametrize(
    ("environ", "policy"),
    [
        ({}, "off"),
        ({"LEADLINE_TWIN": "off"}, "off"),
        ({"LEADLINE_TWIN": "0"}, "off"),
        ({"LEADLINE_TWIN": "strict"}, "strict"),
        ({"LEADLINE_TWIN": " Readonly "}, "readonly"),
        ({"LEADLINE_TWIN": "threads"}, "threads"),
        ({"LEADLINE_TWIN": "yes"}, "off"),
    ],
)
def test_only_a_policy_allows_twins(environ: dict[str, str], policy: str) -> None:
    said = terms(environ)
    assert said.policy == policy
    if policy == "off":
        with pytest.raises(LeadlineError) as refused:
            check_terms(said)
        assert refused.value.slug == "twins-off"
    else:
        check_terms(said)


def test_a_policy_that_is_none_is_named() -> None:
    with pytest.raises(LeadlineError, match="LEADLINE_TWIN=yes is no policy"):
        check_terms(terms({"LEADLINE_TWIN": "yes"}))


@pytest.mark.parametrize(
    ("text", "rate"), [("", 1), ("50", 50), ("-1", 1), ("x", 1), ("nan", 1)]
)
def test_a_rate_that_is_none_is_the_default(text: str, rate: float) -> None:
    assert terms({"LEADLINE_TWIN_RATE": text}).rate == rate


def test_without_a_key_nothing_needs_a_signature() -> None:
    assert slug(OPEN, order(signature="", nonce="")) == ""


def test_a_signed_order_is_obeyed() -> None:
    assert slug(SIGNED, order()) == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"signature": ""},
        {"signature": "0" * 64},
        {"code": ("order.delete()",)},
        {"use": TwinUse.SHELL, "code": ()},
        {"target": Target("app.py", 4)},
        {"condition": "True"},
        {"nonce": "n2"},
        {"signed_until": time.time() + 1e6},
        {"life_s": 29.0},
        {"instance": "i1"},
        {"anchor": Anchor("another = line")},
    ],
)
def test_what_was_changed_after_it_was_signed_is_refused(changes: dict[str, object]) -> None:
    assert slug(SIGNED, order(**changes)) == "twin-unsigned"


def test_another_service_and_another_key_are_refused() -> None:
    assert slug(SIGNED, order(), service="bank") == "twin-unsigned"
    assert slug(replace(SIGNED, key="another"), order()) == "twin-unsigned"


def test_a_signature_that_is_over_is_refused() -> None:
    late = order(signed_until=time.time() - 1)
    resigned = replace(late, signature=sign(KEY, order_text("shop", late)))
    assert slug(SIGNED, resigned) == "twin-unsigned"


def test_an_order_for_one_instance_is_refused_by_the_others() -> None:
    assert slug(OPEN, order(instance="i2")) == "twin-elsewhere"
    assert slug(OPEN, order(instance="i1")) == ""


def test_an_order_makes_no_more_twins_than_it_was_signed_for() -> None:
    orders, now = Orders(), time.time()
    assert orders.allow(order(), now)
    assert orders.allow(order(), now), "only a twin that was made counts"
    orders.use(order())
    assert not orders.allow(order(), now)
    assert orders.allow(order(nonce="n2"), now)
    assert not orders.allow(order(nonce="n3"), now + 1e6)


def test_a_line_of_a_shell_is_signed_in_its_place() -> None:
    text = line_text("n1", 1, '{"do": "next"}')
    assert text != line_text("n1", 2, '{"do": "next"}')
    assert text != line_text("n2", 1, '{"do": "next"}')
