from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

CENT = Decimal("0.01")


def in_cents(amount: Decimal) -> Decimal:
    """9.9 is 9.90."""
    return amount.quantize(CENT)


# PostgreSQL takes no NUL in a text, and nobody wants another control character in a name.
Word = StringConstraints(strip_whitespace=True, min_length=1, pattern=r"^[^\x00-\x1f\x7f]+$")

Name = Annotated[str, Word, Field(max_length=100)]
TagName = Annotated[str, Word, Field(max_length=50)]
Price = Annotated[Decimal, Field(ge=0, max_digits=10, decimal_places=2), AfterValidator(in_cents)]
