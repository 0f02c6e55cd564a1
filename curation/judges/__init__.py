"""Loaded networks as annotators ask them. Only `judges` and `nets` import torch; to look is to come here."""
