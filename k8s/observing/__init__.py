"""What is watched: promises, alerts and dashboards, written as data and rendered to files.

`python -m k8s.observing` writes `k8s/components/monitoring/`; with `--check` it only compares.
"""
