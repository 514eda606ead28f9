package source

// TopicPartition names a partition.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// At is the position of an offset in the partition.
func (p TopicPartition) At(offset int64) Position {
	return Position{Topic: p.Topic, Partition: p.Partition, Offset: offset}
}

// Position is a place in a partition.
type Position struct {
	Topic     string
	Partition int32
	Offset    int64
}

// TopicPartition names the partition that the position lies in.
func (p Position) TopicPartition() TopicPartition { return TopicPartition{p.Topic, p.Partition} }

// Offsets of a Position that have a meaning of their own.
const (
	End       = int64(-1)    // after the last record
	Beginning = int64(-2)    // the first record that the log still has
	Stored    = int64(-1000) // where the group left off; auto.offset.reset says what holds where the group has committed nothing
)
