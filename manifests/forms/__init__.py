"""Text and token forms of the papers, as pure functions with their inverse: ids and texts in, the sequence that a
model is trained on out. The exporters of `manifests.export` put corpora into them."""
