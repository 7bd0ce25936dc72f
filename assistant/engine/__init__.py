"""Engines: one frozen base model and the adapters on it, behind operations named by task.

base          the contract every engine keeps, and the values it returns
quantization  int8 weights, per-row dynamic int8 activations
encoder       the embedded default: a quantized sentence encoder with many adapters at once
adapters      adapter folders: reading, checking, keeping within a byte budget
bottleneck    bottleneck adapters as a PEFT method
heads         what turns hidden states into labels, tags, spans and scores
batching      one forward pass for what all visitors ask within a few milliseconds
echo          an engine without a model, for plugin authors and tests
"""
