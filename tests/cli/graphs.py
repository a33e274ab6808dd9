"""Pipelines that tests of `engine graph` draw."""

ROUTED = """
pipeline: Orders & more
description: Sorts orders by size.
snaps:
  orders: {snap: JSONGenerator, documents: [{n: 3}, {n: 30}, {m: 1}]}
  size: {snap: Router, routes: {large: $n >= 10, small: 'true'}, first_match: true}
  pack: {snap: Mapper, mappings: {$n: $n}}
  failed: {snap: Mapper, mappings: {$reason: $reason}}
links:
  - orders -> size
  - size.large -> pack
  - size.error -> failed
"""
CHAIN = """
snaps:
  read: {snap: FileReader, file: in.json}
  parse: {snap: JSONParser}
  keep: {snap: Filter, filter: $a > 1}
links: [read -> parse -> keep]
"""
