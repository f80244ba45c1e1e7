"""Distillation: an encoder that starts as a pretrained one and gives its vectors again."""
