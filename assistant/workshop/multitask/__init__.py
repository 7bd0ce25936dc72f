"""Several tasks learnt together: recipes, sharing, and what is published.

What it does: hard sharing trains one adapter with a head per task; soft sharing trains an adapter per task and pulls
them towards each other.

When to use it: hard where one text is to get several answers, which then cost one forward pass, or where tasks are so
close that one's rows teach the other; soft where tasks are related but one adapter would be too small for them.

Reference: Caruana 1997, "Multitask Learning"; Ruder 2017, "An Overview of Multi-Task Learning in Deep Neural Networks"
(arXiv 1706.05098).
"""
