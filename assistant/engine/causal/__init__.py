"""The causal engine: any Hugging Face causal language model as the shared base.

loading       a folder or hub id becomes a model in memory: safetensors only, no remote code, revision pinned
quantization  none, int8 or 4 bit, and what `auto` picks
tokens        texts as token ids, none of which can act as a control token; the chat template
model         one forward pass at a time: key-value caches of shared prefixes, adapters by row
scoring       the likelihood of labels after a prompt, all labels and rows in one padded batch
generation    token by token, pulled by whoever reads
zero_gpu      the graphics processor of a Hugging Face Space, which is there by the call
skills        how each application is answered: its prompt files, and its LoRA adapter where there is one
engine        the operations of `assistant.engine.base` on all that
"""
