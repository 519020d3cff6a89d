"""HaX-CoNN: pairs of networks on the GPU and a DLA of a Xavier, as their authors ran them."""
