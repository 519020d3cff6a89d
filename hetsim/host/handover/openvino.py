"""Running an exported plan with OpenVINO."""
