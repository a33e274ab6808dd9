"""Score rows with the weights of a model; rows that come before it wait."""

weights = None
waiting = []


def score(row):
    return {"id": row["id"], "score": sum(w * row["count"] for w in weights) % 1000}


def snaplogic_process(row):
    global weights
    if "weights" in row:
        weights = row["weights"]
        kept, waiting[:] = list(waiting), []
        return [score(each) for each in kept] or [{"model": True, "score": None}]
    if weights is None:
        waiting.append(row)
        return None
    return score(row)
