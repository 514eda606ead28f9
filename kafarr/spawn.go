package kafarr

import "github.com/pykafarr/pykafarr/kafarr/internal/async"

func spawn(f func(), failed func(error)) { async.Go(f, failed) }
