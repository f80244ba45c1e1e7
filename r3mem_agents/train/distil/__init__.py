"""Distillation: an encoder that starts as a pretrained one and learns to reproduce its vectors."""
