"""How Comanda runs on Kubernetes: manifests beside this file, and the tool that applies them."""
