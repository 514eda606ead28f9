package cluster

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/internal/rdkafka"
)

// TestPropertiesThatArePassedOverTakeWhatLibrdkafkaTakes compares the table with the one that librdkafka prints.
func TestPropertiesThatArePassedOverTakeWhatLibrdkafkaTakes(t *testing.T) {
	properties, err := rdkafka.Properties()
	if err != nil {
		t.Fatal(err)
	}
	passed := SetOf(slices.Concat(slices.Collect(maps.Keys(passedOver)), slices.Collect(maps.Keys(values)), Consumers)...)
	taken := map[string]string{}
	for _, p := range properties {
		if passed[p.Name] && taken[p.Name] == "" { // the first is that of a client
			taken[p.Name] = p.Values
		}
	}
	for name := range passed {
		allowed, known := taken[name]
		read, checked := values[name]
		if !known || checked != (allowed != "") && name != "partitioner" {
			t.Errorf("%s: librdkafka takes %q (%v), and the table has it: %v", name, allowed, known, checked)
		}
		if !checked {
			continue
		}
		var low, high int64
		good, bad := strings.Split(allowed, ", "), []string{"x y", ""}
		if n, _ := fmt.Sscanf(allowed, "%d .. %d", &low, &high); n == 2 {
			good, bad = []string{fmt.Sprint(low), fmt.Sprint(high)}, append(bad, fmt.Sprint(low-1), fmt.Sprint(high+1))
		}
		switch name {
		case "fetch.min.bytes": // more is for what is no consumer of a group or of partitions
			good, bad = []string{"1", "100000000"}, bad[:2]
		case "compression.level": // zstd's are higher here
			good, bad = []string{"-1", "12"}, bad[:2]
		case "partitioner":
			good = []string{"consistent_random", "murmur2"}
		}
		for _, value := range good {
			if err := read(value); err != nil {
				t.Errorf("%s: librdkafka takes %q: %v", name, value, err)
			}
		}
		for _, value := range bad {
			if read(value) == nil {
				t.Errorf("%s: %q is taken, librdkafka takes %s", name, value, allowed)
			}
		}
	}
}
