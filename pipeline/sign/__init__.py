"""Signs the clips of a corpus: C2PA manifests, which say that a clip is synthetic and from which corpus it comes."""
