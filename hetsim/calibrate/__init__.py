"""How wrong the cost models are on rows kept aside, and writing down what was fitted."""
