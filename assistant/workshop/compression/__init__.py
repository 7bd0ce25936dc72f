"""Making a trained model smaller: pruning, quantization, distillation."""
