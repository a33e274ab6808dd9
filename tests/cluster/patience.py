"""Environment variables that let Ray wait on a busy machine, where its processes start late."""

from __future__ import annotations

PATIENT = {
    "RAY_agent_register_timeout_ms": "600000",
    "RAY_gcs_server_port_wait_time_s": "600",
    "RAY_health_check_timeout_ms": "120000",
    "RAY_raylet_start_wait_time_s": "600",
    "RAY_worker_register_timeout_seconds": "600",
}
"""A process that is killed is missed as soon as ever: nobody answers at its port."""
