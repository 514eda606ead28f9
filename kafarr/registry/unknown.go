package registry

import (
	"strings"

	"github.com/pykafarr/pykafarr/kafarr/nearest"
)

// unknownProperty names the property that was probably meant.
func unknownProperty(name string) *ConfigError {
	switch name {
	case "url", "schema.registry.url":
		return configErrorf(name, "the registry's URL is the argument registry_url, not a property of registry_config")
	case "bearer.auth.custom.provider.function", "bearer.auth.custom.provider.config":
		return configErrorf(name, "not supported: a property is text and cannot hold a function")
	}
	// Java clients write schema.registry.basic.auth.user.info and the like.
	if bare, ok := strings.CutPrefix(name, "schema.registry."); ok {
		if _, known := findProperty(bare); known {
			return configErrorf(name, "unknown property; it is called %s here", bare)
		}
	}
	names := make([]string, len(properties))
	for i, p := range properties {
		names[i] = p.name
	}
	if likely := nearest.Name(name, names); likely != "" {
		return configErrorf(name, "unknown property; did you mean %s?", likely)
	}
	return configErrorf(name, "unknown property")
}
