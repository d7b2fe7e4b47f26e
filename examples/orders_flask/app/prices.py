"""What the shop sells, and what it costs in cents."""

from enum import StrEnum


class Product(StrEnum):
    CHAIR = "chair"
    LAMP = "lamp"
    TABLE = "table"


PRICES = {Product.CHAIR: 4500, Product.LAMP: 990, Product.TABLE: 12900}
