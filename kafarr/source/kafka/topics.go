package kafka

import (
	"slices"
	"strings"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

// exclude gives the client the patterns of topics that it never subscribes to by a pattern.
func exclude(conf kafka.ConfigMap, cfg Config) error {
	const property = "topic.blacklist"
	names, patterns, err := source.Topics(cfg.Topics)
	if err != nil {
		return err
	}
	excluded, err := source.Excluded(cfg.Properties)
	if err != nil {
		return err
	}
	var list []string
	for _, pattern := range excluded {
		list = append(list, pattern.POSIX())
	}
	for _, topic := range source.Internal {
		if len(patterns) > 0 && !slices.Contains(names, topic) { // the client hides what is asked for by its name, too
			list = append(list, "^"+topic+"$")
		}
	}
	delete(conf, property) // an empty entry would hide every topic
	if len(list) > 0 {
		conf[property] = strings.Join(list, ",")
	}
	return nil
}

// subscription is what the client subscribes to, and the patterns by what it knows them as.
func subscription(topics []string) ([]string, map[string]source.Pattern, error) {
	names, patterns, err := source.Topics(topics)
	if err != nil {
		return nil, nil, err
	}
	known := map[string]source.Pattern{}
	for _, pattern := range patterns {
		if _, twice := known[pattern.POSIX()]; !twice {
			known[pattern.POSIX()] = pattern
			names = append(names, pattern.POSIX())
		}
	}
	return names, known, nil
}
