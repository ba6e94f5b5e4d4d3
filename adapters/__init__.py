"""One folder per outside format, and the transports. They see hub.contract and little else."""
