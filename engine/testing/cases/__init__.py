"""Tests of pipelines as files: `NAME.test.yaml` beside a pipeline holds cases and expectations.

`reading` turns a file into cases, `preparing` checks them against their pipeline, `running` runs
one, and `suite` all of them. Both `engine test` and the pytest plugin run them.
"""
