package kafarr

// DefaultScanBytes ends a scan's batch when its messages have so many bytes. Blocks of freed batches are used again up to 64 MB (cmem), which these batches stay below while a few of them
// are on their way: with 64 MiB a scan of wide rows met 2.4 times the page faults and held twice the memory.
const DefaultScanBytes = 4 << 20

// What each of the workers of a scan holds at most, in shares, which are 32nds of its part of Memory.Limit:
//
//	answers of a broker: on its way, waiting, being decompressed, being read    4 × 1
//	record batches, decompressed: being read and being made, 9/8 each, 1/2 kept  3 × 2
//	the same once more: Go's heap grows to twice what is alive in it            10
//	columns of 2 shares of messages, growing: old and new                       6
//	the finished batch that waits to be taken                                   4
//
// What has been taken from the stream does not count. The workers are as many as the limit has room for: what a record batch may become must not be too little for those that
// producers make, of which few are more than a few MiB.
const (
	scanShares     = 32
	expandedShares = 2
	leastOfWorker  = 64 << 20
	// metadataShare of the limit is what an answer about partitions may have: decoded, it takes up to some ten times as much.
	metadataShare = 64
)

// workers is how many ranges are read at a time.
func (m *Memory) workers(ranges, processors int) int {
	n := min(ranges, processors)
	if m.Limit > 0 {
		n = min(n, int(m.Limit/leastOfWorker))
	}
	return max(n, 1)
}

// divided is what one of n workers may hold.
func (m Memory) divided(n int) Memory {
	m.Limit /= int64(n)
	return m
}

// fetchBytes bounds an answer, and what a record batch may become; 0: no bound but the client's own.
func (m *Memory) fetchBytes() (answer, expanded int) {
	if m.Limit == 0 {
		return 0, 0
	}
	share := min(m.Limit/scanShares, 1<<30)
	return int(share), int(expandedShares * share)
}

// scanBatchBytes is what the messages of a scan's batch may have.
func (m *Memory) scanBatchBytes() int {
	switch {
	case m.Limit != 0:
		return int(min(batchShares*m.Limit/scanShares, DefaultScanBytes))
	case m.BatchBytes != 0:
		return m.BatchBytes
	}
	return DefaultScanBytes
}
