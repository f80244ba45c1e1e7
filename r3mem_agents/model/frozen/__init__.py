"""The frozen network: integers and tables, with nothing to train in it.

``interface`` is the contract: what the rest of the package asks of a frozen network, in numpy
arrays; it knows no PyTorch. The classes ``Torch...`` are the reference implementation. A checkpoint
holds their tensors (``shapes``), training makes them (``trainable``).
"""
