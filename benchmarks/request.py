"""A request with a user and an order, eight calls deep: what a snapshot of a service shows."""


class User:
    def __init__(self) -> None:
        self.id, self.name, self.email = 7, "ada", "ada@example.org"
        self.roles = ["admin", "dev"]
        self.active = True


class Line:
    def __init__(self, number: int) -> None:
        self.sku, self.price, self.count = f"sku-{number}", 9.5 * number, number


class Order:
    def __init__(self, user: User) -> None:
        self.id, self.user, self.total = 1234, user, 142.5
        self.lines = [Line(number) for number in range(5)]
        self.meta = {"source": "web", "coupon": None}


class Request:
    def __init__(self, user: User) -> None:
        self.method, self.path, self.user = "POST", "/orders", user
        self.headers = {"host": "shop", "accept": "*/*", "agent": "curl"}


def price(order: Order, rate: float) -> float:
    total = sum(line.price for line in order.lines)
    taxed = total * rate
    return taxed  # noqa: RET504 - the line that is probed


def quote(order: Order, user: User) -> float:
    return price(order, 1.2 if user.active else 1.3)


def handle(request: Request, order: Order) -> float:
    return quote(order, request.user)


def authenticated(request: Request, order: Order, scheme: str = "key") -> float:
    return handle(request, order) if scheme else 0.0


def logged(request: Request, order: Order, level: int = 20) -> float:
    return authenticated(request, order) if level else 0.0


def routed(request: Request, order: Order, rule: tuple[int, ...] = (1, 2)) -> float:
    return logged(request, order) if rule else 0.0


def application(environ: dict[str, object]) -> float:
    user = USER if environ else User()
    return routed(REQUEST, ORDER) if user else 0.0


USER = User()
ORDER = Order(USER)
REQUEST = Request(USER)
FRAMES = 8
LINE = price.__code__.co_firstlineno + 3


def serve(number: int, text: str) -> int:
    """One request; its own frame is the eighth."""
    return int(application({text: number}))
