"""The total of all rows so far, for each row."""

total = 0


def snaplogic_process(row):
    global total
    total += row["count"]
    return {"id": row["id"], "total": total}
