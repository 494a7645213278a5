"""Speed, memory and growth of the engine beside PyTorch and JAX, for `deepmotif bench`. Loaded by nothing else.

The rivals get the same network with the same weights, the same batches of uint8 codes and the same number of threads;
every one of their variants runs (memory layouts, compiled graphs, batch sizes), and the best is the rival.
"""
