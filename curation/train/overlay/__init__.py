"""OverlayNet: marks and look-alikes drawn by code, samples, training and figures."""
