package kafka

import (
	"fmt"
	"maps"
	"sort"
	"strings"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// Ready implements source.Source. A partition is being fetched when its watermarks are known, which a fetch response brings.
func (k *Kafka) Ready() (joined bool, waitingFor string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.joined && len(k.cfg.Assign) > 0 {
		return false, k.because("the partitions to be found")
	}
	if !k.joined {
		return false, k.because("the group " + k.cfg.Group + " to assign partitions")
	}
	var waiting []string
	for p := range k.assigned {
		if k.awaited(p, k.fetching(p)) {
			waiting = append(waiting, fmt.Sprintf("%s[%d]", p.Topic, p.Partition))
		}
	}
	if len(waiting) == 0 {
		return true, ""
	}
	sort.Strings(waiting)
	if len(waiting) > 5 {
		waiting = append(waiting[:5], fmt.Sprintf("%d more", len(waiting)-5))
	}
	return true, k.because("the first fetch of " + strings.Join(waiting, ", "))
}

// fetching reports whether a partition's first fetch has been answered. k.mu is held.
func (k *Kafka) fetching(p source.TopicPartition) bool {
	fetching, assigned := k.assigned[p]
	if assigned && !fetching {
		_, high, err := k.consumer.GetWatermarkOffsets(p.Topic, p.Partition)
		fetching = err == nil && high >= 0
		k.assigned[p] = fetching
	}
	return fetching
}

func (k *Kafka) because(what string) string {
	if k.problem == "" {
		return what
	}
	return what + "; " + k.problem
}

// UnavailableTopics implements source.Source.
func (k *Kafka) UnavailableTopics() map[string]error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return maps.Clone(k.missing)
}
