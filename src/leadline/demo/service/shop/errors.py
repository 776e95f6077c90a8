"""What can be wrong with a request, each kind with the HTTP status it answers with."""


class ShopError(Exception):
    """A request the shop turns down; its text is for the person who sent it."""

    status = 400


class NotFoundError(ShopError):
    """The request names something that the shop does not have."""

    status = 404


class OutOfStockError(ShopError):
    """There is less on the shelf than the order asks for."""

    status = 409


class InvalidError(ShopError):
    """The request is understood and cannot be carried out as it stands."""

    status = 422
