"""The perturbation detector: cloaks and poison computed here, samples, training and figures."""
