"""What holds for all tests."""

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts its background jobs deaf to SIGINT, and so would be every program that the tests interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)
