package kafarr

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/pykafarr/pykafarr/kafarr/internal/dispatch"
	"github.com/pykafarr/pykafarr/kafarr/nearest"
	"github.com/pykafarr/pykafarr/kafarr/sink/produce"
)

// batchSettings are what librdkafka's properties say of record batches.
type batchSettings struct {
	bounds      produce.Bounds
	compression produce.Compression
	partitioner string
}

// defaultBatchSize is librdkafka's batch.size.
const defaultBatchSize = 1_000_000

func batchSettingsOf(properties map[string]string) (batchSettings, error) {
	s := batchSettings{bounds: produce.Bounds{Batch: defaultBatchSize}}
	var err error
	if text := properties["batch.size"]; text != "" {
		if s.bounds.Batch, err = strconv.Atoi(text); err != nil || s.bounds.Batch < 1 {
			return s, errorf(ConfigError, "config: batch.size is %q: it must be a number of bytes", text)
		}
	}
	codec, level := cmp.Or(strings.ToLower(cmp.Or(properties["compression.codec"], properties["compression.type"])), "none"), produce.DefaultLevel
	if text := properties["compression.level"]; text != "" {
		if level, err = strconv.Atoi(text); err != nil {
			return s, errorf(ConfigError, "config: compression.level is %q: it must be a number", text)
		}
	}
	if s.compression, err = produce.NewCompression(codec, level); err != nil {
		return s, errorf(ConfigError, "config: %w", err)
	}
	s.partitioner = properties["partitioner"]
	_, err = s.partitionerOf("")
	return s, err
}

// partitionerOf is the partitioner that an option names, or that the property does.
func (s *batchSettings) partitionerOf(option string) (dispatch.Partitioner, error) {
	where, name := "partitioner", option
	if name == "" {
		where, name = "config: partitioner", s.partitioner
	}
	if name == "" {
		name = "consistent_random"
	}
	p, ok := produce.Partitioners[name]
	if !ok {
		var known []string
		for n := range produce.Partitioners {
			known = append(known, n)
		}
		return nil, errorf(ConfigError, "%s is %q, which librdkafka does not have%s", where, name, nearest.Hint(name, known))
	}
	return p, nil
}
