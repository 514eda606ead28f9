package dispatch

import (
	"math"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Partitioner chooses the partition of a key, as producers of other libraries do.
type Partitioner interface {
	// Partition returns the partition of a key, of so many; ok is false where any partition will do. key is nil for a null.
	Partition(key []byte, partitions int) (partition int32, ok bool)
}

// lane is the rows of one partition, in their order.
type lane struct {
	partition int32
	all       span
	next      int           // index of the row that is sent next
	before    chan struct{} // closed when the batch before has been handed to the sink
}

// share is how many rows without keys make it worth to use a further partition: fewer are one batch of one partition, which is less work for all.
const share = 10_000

// route says which rows go to which partition. Rows that may go anywhere begin with the partition first.
func (p *Plan) route(parts []*part, rows, partitions int, first int32) ([]*lane, error) {
	if rows > math.MaxUint32 {
		return nil, status.Errorf(status.ConfigError, "the frame has %d rows: send it in parts of at most %d", rows, uint32(math.MaxUint32))
	}
	if p.Key == "" && p.Partition == "" {
		return spread(rows, partitions, first), nil
	}
	targets, err := p.targets(parts, rows, partitions)
	if err != nil {
		return nil, err
	}
	free := 0
	for _, t := range targets {
		if t < 0 {
			free++
		}
	}
	if free > 0 {
		lanes := spread(free, partitions, first)
		i := 0
		for row, t := range targets {
			if t >= 0 {
				continue
			}
			for lanes[0].all.first+lanes[0].all.size <= i {
				lanes = lanes[1:]
			}
			targets[row] = lanes[0].partition
			i++
		}
	}
	return sorted(targets, partitions), nil
}

// spread divides rows that may go anywhere into stretches of consecutive rows.
func spread(rows, partitions int, first int32) []*lane {
	shares := min(max(rows/share, 1), partitions)
	var lanes []*lane
	for i := range shares {
		from, to := rows*i/shares, rows*(i+1)/shares
		if from < to {
			lanes = append(lanes, &lane{partition: int32((int(first) + i) % partitions), all: span{first: from, size: to - from}}) //nolint:gosec // below partitions
		}
	}
	return lanes
}

// noPartition is the error of a row for a partition that the topic did not have when the cluster was asked.
type noPartition struct{ error }

func (e noPartition) Unwrap() error { return e.error }

// targets are the partitions of the rows; -1: any.
func (p *Plan) targets(parts []*part, rows, partitions int) ([]int32, error) {
	targets := make([]int32, 0, rows)
	var scratch []byte
	for _, part := range parts {
		for row := range part.rows {
			if part.partition != nil {
				if n, ok := part.partition(row); ok {
					if n < 0 || n >= int64(partitions) {
						return nil, noPartition{p.atRow(&format.ValueError{Row: row, Path: p.Partition, Value: itoa(n), Msg: "is no partition of the topic " + p.Topic + ", which has " + itoa(int64(partitions))}, part.first)}
					}
					targets = append(targets, int32(n)) //nolint:gosec // below partitions
					continue
				}
			}
			var key []byte
			if part.key != nil {
				key = part.key(&scratch, row)
			}
			target := int32(-1)
			if chosen, ok := p.Partitioner.Partition(key, partitions); ok {
				target = chosen
			}
			targets = append(targets, target)
		}
	}
	return targets, nil
}

// sorted makes a lane of each partition that has rows.
func sorted(targets []int32, partitions int) []*lane {
	ends := make([]int, partitions+1)
	for _, t := range targets {
		ends[t+1]++
	}
	for i := range partitions {
		ends[i+1] += ends[i]
	}
	rows := make([]uint32, len(targets))
	at := append([]int(nil), ends...)
	for row, t := range targets {
		rows[at[t]] = uint32(row)
		at[t]++
	}
	var lanes []*lane
	for t := range partitions {
		if from, to := ends[t], ends[t+1]; from < to {
			lanes = append(lanes, &lane{partition: int32(t), all: span{rows: rows[from:to], size: to - from}})
		}
	}
	return lanes
}
