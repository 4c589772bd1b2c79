"""What shows from outside that the server keeps the rules: an echo for conformance suites, and a fuzzer."""
