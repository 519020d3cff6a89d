"""Where the runs of a study are performed: here, in processes, on a cluster; one file each."""
