"""A lean client for the AWS calls of a worker: one signed POST each, with botocore's own signer.

`client` sends, `protocol` writes bodies and reads answers, `signing` signs, `retries` decides when
to try again. ADR 0005 says why, and what botocore still does.
"""
