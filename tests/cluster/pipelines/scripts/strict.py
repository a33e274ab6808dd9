"""Fails on a row without a price."""


def snaplogic_process(row):
    return {"id": row["id"], "price": row["price"] * 2}
