"""DetailNet: training and figures."""
