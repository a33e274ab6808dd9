"""What the option --resources means."""

from __future__ import annotations

import argparse

from engine.cli.worker_options import add_resources, given_resources


def test_all_resources_for_one_snap_count_together() -> None:
    parser = argparse.ArgumentParser()
    add_resources(parser)
    options = ["--resources", "map=GPU:1", "--resources", "keep=CPU:2", "--resources", "map=CPU:3"]
    found = given_resources(parser.parse_args(options))
    assert found == {"map": {"GPU": 1, "CPU": 3}, "keep": {"CPU": 2}}
