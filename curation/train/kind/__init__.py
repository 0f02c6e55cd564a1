"""KindNet: samples, training and figures."""
