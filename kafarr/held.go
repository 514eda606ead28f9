package kafarr

import "github.com/pykafarr/pykafarr/kafarr/source"

// held are fetched records that no batch has taken yet, with a cursor. What lies behind a schema change stays here, as messages in
// the client's memory, and opens the next batch.
type held struct {
	chunks []source.Chunk
	chunk  int
	record int
}

// rest returns the chunk under the cursor and its records from the cursor on; nil when there are none left.
func (h *held) rest() (*source.Chunk, []source.Record) {
	for h.chunk < len(h.chunks) {
		c := &h.chunks[h.chunk]
		if h.record < len(c.Records) {
			return c, c.Records[h.record:]
		}
		h.chunk++
		h.record = 0
	}
	return nil, nil
}

// next is the place of the record under the cursor, which is there.
func (h *held) next() source.Position {
	chunk, records := h.rest()
	return source.Position{Topic: chunk.Topic, Partition: chunk.Partition, Offset: records[0].Offset}
}

// drop takes a partition's records out.
func (h *held) drop(k source.TopicPartition) {
	for i := h.chunk; i < len(h.chunks); i++ {
		if c := &h.chunks[i]; c.Topic == k.Topic && c.Partition == k.Partition {
			c.Records = nil
			if i == h.chunk {
				h.record = 0
			}
		}
	}
}
