package produce

import (
	"hash/crc32"
	"testing"
)

func TestHashesAreThoseOfTheOtherProducers(t *testing.T) {
	// From librdkafka's own tests of its hashes (rdmurmur2.c, rdfnv1a.c, 0048-partitioner.c), which took them from Java, from Sarama and from the command crc32, and from Kafka's UtilsTest.
	signed := func(h int32) uint32 { return uint32(h) }
	for _, c := range []struct {
		name string
		hash func([]byte) uint32
		want map[string]uint32
	}{
		{"murmur2", murmur2, map[string]uint32{
			"kafka": 0xd067cf64, "giberish123456789": 0x8f552b0c, "1234": 0x9fc97b14, "234": 0xe7c009ca, "34": 0x873930da, "4": 0x5a4b5ca1,
			"PreAmbleWillBeRemoved,ThePrePartThatIs": 0x78424f1c, "reAmbleWillBeRemoved,ThePrePartThatIs": 0x4a62b377,
			"eAmbleWillBeRemoved,ThePrePartThatIs": 0xe0e4e09e, "AmbleWillBeRemoved,ThePrePartThatIs": 0x62b8b43f, "": 0x106e08d9,
			"21": signed(-973932308), "foobar": signed(-790332482), "a-little-bit-long-string": signed(-985981536), "a-little-bit-longer-string": signed(-1486304829),
			"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": signed(-58897971), "abc": signed(479470107),
			"23456": 0x058d780f, "this is another string with more length to it perhaps": 0x4f7703da, "hejsan": 0x5ec19395,
		}},
		{"fnv1a", fnv1a, map[string]uint32{
			"kafka": 0xd33c4e1, "giberish123456789": 0x77a58295, "1234": 0x23bdd03, "234": 0x2dea3cd2, "34": 0x740fa83e, "4": 0x310ca263,
			"PreAmbleWillBeRemoved,ThePrePartThatIs": 0x65cbd69c, "reAmbleWillBeRemoved,ThePrePartThatIs": 0x6e49c79a,
			"eAmbleWillBeRemoved,ThePrePartThatIs": 0x69eed356, "AmbleWillBeRemoved,ThePrePartThatIs": 0x6abcc023, "": 0x7ee3623b,
		}},
		{"crc32", crc32.ChecksumIEEE, map[string]uint32{
			"": 0, "23456": 0xb1b451d7, "this is another string with more length to it perhaps": 0xb0150df7, "hejsan": 0xd077037e,
		}},
	} {
		for key, want := range c.want {
			if c.name == "murmur2" { // a partition is of the number without its sign
				want &= 0x7fffffff
			}
			if got := c.hash([]byte(key)); got != want {
				t.Errorf("%s of %q: %#x, want %#x", c.name, key, got, want)
			}
		}
	}
}

func TestEachPartitionerHasItsOwnRuleForKeysThatAreNullOrEmpty(t *testing.T) {
	const anywhere = -1
	for name, want := range map[string][3]int32{ // of null, of an empty key, of "hejsan", with 17 partitions
		"random":            {anywhere, anywhere, anywhere},
		"consistent":        {0, 0, 0xd077037e % 17},
		"consistent_random": {anywhere, anywhere, 0xd077037e % 17},
		"murmur2":           {0x106e08d9 % 17, 0x106e08d9 % 17, 0x5ec19395 % 17},
		"murmur2_random":    {anywhere, 0x106e08d9 % 17, 0x5ec19395 % 17},
		"fnv1a":             {0x7ee3623b % 17, 0x7ee3623b % 17, int32(fnv1a([]byte("hejsan")) % 17)},
		"fnv1a_random":      {anywhere, 0x7ee3623b % 17, int32(fnv1a([]byte("hejsan")) % 17)},
	} {
		for i, key := range [][]byte{nil, {}, []byte("hejsan")} {
			got, ok := Partitioners[name].Partition(key, 17)
			if !ok {
				got = anywhere
			}
			if got != want[i] {
				t.Errorf("%s of %q: %d, want %d", name, key, got, want[i])
			}
		}
	}
	if len(Partitioners) != 7 {
		t.Error("a partitioner without a test")
	}
}
