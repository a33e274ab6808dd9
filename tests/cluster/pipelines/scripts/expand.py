"""One document, two, or none for a row."""

from snaplogic.tool import SLTool as slt


def snaplogic_process(row):
    if row["count"] == 1:
        return slt.get_drop_doc()
    answer = {"id": row["id"], "twice": row["count"] * 2}
    return [answer, {"id": row["id"], "tags": row.get("tags")}] if row["count"] > 7 else answer
