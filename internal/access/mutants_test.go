package access_test

import "flag"

// mutants says how many of the documents are tried that are broken or written: a share, or all.
var mutants = flag.String("mutants", "some", "which broken or generated documents are tried: some, all")
