"""The edge beside what is usual: cold starts, signatures, answers; and the receiver's fuzzer."""
