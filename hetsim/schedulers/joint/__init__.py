"""Plans for several networks together: a way of asking schedulers of one network, a file each."""
