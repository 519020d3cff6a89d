"""PartitionTuner (Yu, Kwon, Kim, ETRI Journal 2023), step by step."""
