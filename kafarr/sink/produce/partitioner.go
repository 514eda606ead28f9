package produce

import (
	"encoding/binary"
	"hash/crc32"
)

// Partitioner chooses the partition of a key as another library's producer does, so that the messages of a key stay in one partition whoever writes them.
type Partitioner struct {
	hash func(key []byte) uint32 // nil: any partition will do for every key
	free func(key []byte) bool   // whether any partition will do for this key
}

// Partition returns the partition of a key, of so many; ok is false where any will do. key is nil for a null.
func (p Partitioner) Partition(key []byte, partitions int) (partition int32, ok bool) {
	if p.hash == nil || p.free(key) {
		return 0, false
	}
	return int32(p.hash(key) % uint32(partitions)), true //nolint:gosec // a number of partitions is an int32
}

// Partitioners are known by librdkafka's names. Its default is consistent_random, Java's producer is murmur2_random, Sarama's is fnv1a_random. They differ in what becomes of keys that
// are null or empty, too.
var Partitioners = map[string]Partitioner{
	"random":            {},
	"consistent":        {crc32.ChecksumIEEE, never},
	"consistent_random": {crc32.ChecksumIEEE, nullOrEmpty},
	"murmur2":           {murmur2, never},
	"murmur2_random":    {murmur2, isNull},
	"fnv1a":             {fnv1a, never},
	"fnv1a_random":      {fnv1a, isNull},
}

func never([]byte) bool           { return false }
func isNull(key []byte) bool      { return key == nil }
func nullOrEmpty(key []byte) bool { return len(key) == 0 }

// murmur2 is the hash of Java's producer, without its sign.
func murmur2(key []byte) uint32 {
	const factor, seed = 0x5bd1e995, 0x9747b28c
	h := seed ^ uint32(len(key)) //nolint:gosec // as Java does
	for ; len(key) >= 4; key = key[4:] {
		k := binary.LittleEndian.Uint32(key) * factor
		k ^= k >> 24
		h = h*factor ^ k*factor
	}
	if len(key) > 0 {
		for i := len(key) - 1; i >= 0; i-- {
			h ^= uint32(key[i]) << (8 * i)
		}
		h *= factor
	}
	h ^= h >> 13
	h *= factor
	h ^= h >> 15
	return h & 0x7fffffff
}

// fnv1a is the hash of Sarama's producer: the absolute value of a signed number, of which the least stays what it is.
func fnv1a(key []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range key {
		h = (h ^ uint32(c)) * 16777619
	}
	if h > 1<<31 {
		return -h
	}
	return h
}
