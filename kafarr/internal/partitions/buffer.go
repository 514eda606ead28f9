package partitions

import "github.com/pykafarr/pykafarr/kafarr/source"

// Buffer holds fetched records that no batch has taken yet, with a cursor. What lies after a change of schema stays here, as messages in the client's memory, and opens
// the next batch.
type Buffer struct {
	chunks []source.Chunk
	chunk  int
	record int
}

// Hold replaces what the buffer holds by what was fetched.
func (b *Buffer) Hold(chunks []source.Chunk) { *b = Buffer{chunks: chunks} }

// Rest returns the chunk under the cursor and its records from the cursor on; nil where there are none left.
func (b *Buffer) Rest() (*source.Chunk, []source.Record) {
	for b.chunk < len(b.chunks) {
		c := &b.chunks[b.chunk]
		if b.record < len(c.Records) {
			return c, c.Records[b.record:]
		}
		b.chunk++
		b.record = 0
	}
	return nil, nil
}

// Others are the records behind a chunk that are held of its topic, a run for each other chunk.
func (b *Buffer) Others(of *source.Chunk) (runs [][]source.Record) {
	for i := b.chunk; i < len(b.chunks); i++ {
		if c := &b.chunks[i]; c != of && c.Topic == of.Topic && len(c.Records) > 0 {
			runs = append(runs, c.Records)
		}
	}
	return runs
}

// Take moves the cursor over n records of the chunk under it.
func (b *Buffer) Take(n int) { b.record += n }

// Taken is how many records of the chunk under the cursor lie before it.
func (b *Buffer) Taken() int { return b.record }

// Next is the place of the record under the cursor, which is there.
func (b *Buffer) Next() source.Position {
	chunk, records := b.Rest()
	return chunk.TopicPartition().At(records[0].Offset)
}

// Drop takes the records of a partition out.
func (b *Buffer) Drop(k source.TopicPartition) {
	for i := b.chunk; i < len(b.chunks); i++ {
		if c := &b.chunks[i]; c.Topic == k.Topic && c.Partition == k.Partition {
			c.Records = nil
			if i == b.chunk {
				b.record = 0
			}
		}
	}
}

// First returns the offset of the first record of a partition.
func (b *Buffer) First(k source.TopicPartition) (offset int64, any bool) {
	for i := b.chunk; i < len(b.chunks); i++ {
		records := b.chunks[i].Records
		if i == b.chunk {
			records = records[b.record:]
		}
		if c := &b.chunks[i]; len(records) > 0 && c.Topic == k.Topic && c.Partition == k.Partition {
			return records[0].Offset, true
		}
	}
	return 0, false
}
