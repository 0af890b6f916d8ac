"""`python -m k8s apply|diff|status|rollback|outputs|render|check|smoke|access`."""

from k8s.command import app

if __name__ == "__main__":
    app()
