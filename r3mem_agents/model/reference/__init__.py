"""The frozen networks in PyTorch: for GPUs, for training, and to compare the engine with.

Needs the extra ``train``.
"""
