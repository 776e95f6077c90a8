"""Objects that answer for another one, which they look for when they are first asked: nothing
that is done with a call may ask them."""

from benchmarks.verify.calling import captured, home, imported

from leadline.trial.candidate import make, of_texts
from leadline.verify.verifying import Request, verify

VIEWS = """
class Lazy:
    def __init__(self, request):
        self.request = request
    def found(self):
        self.request.asked = True
        return "somebody"
    __class__ = property(lambda self: type(self.found()))
    def __getattr__(self, name):
        return getattr(self.found(), name)

class Request:
    def __init__(self, number):
        self.number, self.asked = number, False
        self.user = Lazy(self)
        self.users = [self.user]

def view(request):
    return {"number": request.number + 1, "request": request}
"""


def test_a_lazy_user_is_not_asked_for(tmp_path):
    (tmp_path / "views.py").write_text(VIEWS)
    with imported(tmp_path, "views") as (views,):
        calls = captured("views:view", [(views.Request(number),) for number in range(4)])
    new = VIEWS.replace("number + 1", "number + 2 - 1")
    candidate = make("new", [of_texts(str(tmp_path / "views.py"), VIEWS, new)])
    report = verify(
        Request("s", "views:view", calls, home(tmp_path), candidate, least=1)
    ).report
    assert report.shares.agreed == 4, report.sentence
    assert report.verdict == "no difference seen", report.sentence
