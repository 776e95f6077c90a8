"""What it costs to send a parcel, by country and weight."""

from shop.errors import InvalidError

HOME = "DE"
NEIGHBOURS = frozenset({"AT", "BE", "DK", "FR", "LU", "NL", "PL", "CZ"})
OVERSEAS = frozenset({"CH", "GB", "NO", "SE", "IE"})

# Up to so many grams, and the rates in cents: home, neighbours, overseas.
RATES = (
    (500, 190, 390, 590),
    (2_000, 450, 890, 1_490),
    (10_000, 690, 1_590, 2_790),
    (31_500, 1_190, 2_490, 4_490),
)

# Goods from this amount on travel free within the home country, by the customer's tier.
FREE_FROM = {"basic": 4_900, "silver": 2_900, "gold": 1_900}


def zone(country: str) -> int:
    if country == HOME:
        return 0
    if country in NEIGHBOURS:
        return 1
    if country in OVERSEAS:
        return 2
    raise InvalidError(f"we do not deliver to {country}")


def parcel_rate(country: str, grams: int) -> int:
    """The price of one delivery; what is too heavy for one parcel goes in several."""
    column = zone(country) + 1
    heaviest = RATES[-1]
    parcels, rest = divmod(grams, heaviest[0])
    cost = parcels * heaviest[column]
    if rest or not parcels:
        cost += next(rate[column] for rate in RATES if rest <= rate[0])
    return cost


def shipping_cost(country: str, tier: str, grams: int, goods: int) -> int:
    """What the customer pays for delivery of `goods` cents of goods."""
    if zone(country) == 0 and goods >= FREE_FROM[tier]:
        return 0
    return parcel_rate(country, grams)
