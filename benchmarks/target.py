"""What every subject is measured on. The lines that are probed are found by their marks."""

from pathlib import Path


def price(quantity: int, unit: int) -> int:
    subtotal = quantity * unit
    if subtotal < 0:
        subtotal = 0  # mark: cold
    total = subtotal + 7
    return total  # mark: hot # noqa: RET504


def elsewhere(number: int) -> int:
    return number + 1  # mark: elsewhere


class Product:
    def __init__(self, sku: str, cents: int) -> None:
        self.sku = sku
        self.cents = cents
        self.tags = ["new", "small"]


class Line:
    def __init__(self, product: Product, quantity: int) -> None:
        self.product = product
        self.quantity = quantity


class Order:
    def __init__(self) -> None:
        self.number = 42
        self.customer = {"name": "Ada", "address": {"city": "London", "street": "Dock Road"}}
        self.lines = [Line(Product(f"sku-{n}", 100 + n), n + 1) for n in range(5)]


ORDER = Order()


def checkout(order: Order, rate: int) -> int:
    total = sum([line.quantity * line.product.cents for line in order.lines])
    discount = total * rate // 100
    codes = ["x", "y", "z"]
    result = total - discount - len(codes)
    return result  # mark: snapshot # noqa: RET504


class Hostile:
    """Values as large, as wide and as deep as a service may hold by mistake."""

    def __init__(self) -> None:
        self.wide = [{"key": n, "text": str(n)} for n in range(200_000)]
        self.text = "x" * 50_000_000
        self.deep: list[object] = []
        for _ in range(900):  # as deep as `repr` can follow
            self.deep = [self.deep]


def hold(hostile: Hostile) -> int:
    wide, text, deep = hostile.wide, hostile.text, hostile.deep
    return len(wide) + len(text) + len(deep)  # mark: hostile


def deeper(levels: int, work: "Work") -> int:
    """Call `work` under so many more frames."""
    return work() if levels <= 0 else deeper(levels - 1, work)


def line(mark: str) -> int:
    """Return the number of the line that bears a mark."""
    for number, text in enumerate(Path(__file__).read_text("utf-8").splitlines(), 1):
        if f"# mark: {mark}" in text and "find" not in text:
            return number
    raise LookupError(mark)


if __name__ != "__main__":
    from collections.abc import Callable

    type Work = Callable[[], int]
