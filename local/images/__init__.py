"""The image of the pods, built and tried without a container engine where the tools are there."""
