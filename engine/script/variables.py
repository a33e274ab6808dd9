"""The environment variables of a script's process: a fixed list, and those that its pipeline names.

The server's environment holds the secrets of every task, so only the variables listed here are
passed on: locations of programs and files, language and time zone, network access, and the settings
of pip and of numeric libraries.
"""

from __future__ import annotations

import os
import re

from engine.script.environment import Environment
from engine.sdk.scripts import Script

PASSED_ON = (
    *("HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER"),
    *("LANG", "LANGUAGE", "LC_*", "TZ"),
    *("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
    *("CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE"),
    *("NODE_EXTRA_CA_CERTS", "NPM_CONFIG_REGISTRY", "npm_config_registry"),
    *("PIP_*", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"),
    *("PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "PYTHONWARNINGS"),
    *("KERAS_BACKEND", "KERAS_HOME", "TF_CPP_*", "TF_ENABLE_*", "TF_FORCE_*", "TF_GPU_*"),
    *("TF_NUM_*", "TF_USE_*", "TF_XLA_FLAGS", "XLA_FLAGS"),
    *("CUDA_*", "LD_LIBRARY_PATH", "NVIDIA_*"),
    *("MKL_*", "NUMEXPR_*", "OMP_*", "OPENBLAS_*"),
)
"""Every script sees these (docs/remote-python.md), and the proxy variables also in lower case."""

_PATTERN = re.compile("|".join(name.replace("*", ".*") for name in PASSED_ON))
_PROXIES = frozenset({"all_proxy", "http_proxy", "https_proxy", "no_proxy"})


def variables(
    script: Script, environment: Environment, temporary: os.PathLike[str]
) -> dict[str, str]:
    """The environment of a script's process."""
    passed_on = {
        name: value
        for name, value in os.environ.items()
        if _PATTERN.fullmatch(name) or name in _PROXIES
    }
    path = os.environ.get("PATH", os.defpath)
    own = {
        "PATH": f"{environment.folder / 'bin'}{os.pathsep}{path}",
        "PIP_PYTHON": str(environment.python),  # a stray `pip install` stays out of the engine
        "TMPDIR": str(temporary),
        "VIRTUAL_ENV": str(environment.folder),
    }
    return passed_on | script.variables | own
