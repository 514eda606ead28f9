package produce

import (
	"context"

	"github.com/pykafarr/pykafarr/kafarr/environ"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Settings say how the cluster is reached and what is promised.
type Settings struct {
	Servers string
	// Properties have librdkafka's names. Those that only consumers have are ignored; one that has no counterpart here is a ConfigError.
	Properties map[string]string
	// Environment says which authorities are trusted where no property does, and which proxy a token endpoint is behind.
	Environment environ.Variables
	// MemoryLimit bounds the bytes of batches that wait for their outcome; 0: 32 MiB, or queue.buffering.max.kbytes where it is set.
	MemoryLimit int64
	// Token is asked for OAUTHBEARER's tokens; nil: the properties say how to get them.
	Token func(context.Context) (source.Token, error)
	Log   func(level int, facility, message string)
}
