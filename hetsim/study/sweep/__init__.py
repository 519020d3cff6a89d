"""Every design of a grid."""
