"""What Comanda runs on: nine Terraform roots, and the tool that checks and applies them."""
