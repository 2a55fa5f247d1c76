"""Which label a row is given: selection, thresholds, transport, class transitions."""
