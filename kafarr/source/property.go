package source

import (
	"strings"

	"github.com/pykafarr/pykafarr/kafarr/nearest"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// elsewhere says where properties belong that other clients have in one dictionary with those of the brokers, by how their names begin.
var elsewhere = []struct{ prefix, where string }{
	{"schema.registry.url", ": the URL of the schema registry is the argument registry_url"},
	{"schema.registry.", ": properties of the schema registry belong to registry_config, without schema.registry. before their names"},
	{"basic.auth.", ": properties of the schema registry belong to registry_config"},
	{"bearer.auth.", ": properties of the schema registry belong to registry_config"},
	{"key.deserializer", ": what keys are is said by the argument key"},
	{"value.deserializer", ": what values are is said by the argument value"},
}

// UnknownProperty is the error of a property that a client does not have: where it belongs, or which of the known ones was probably meant.
func UnknownProperty(name string, known []string) *Error {
	hint := nearest.Hint(name, known)
	for _, e := range elsewhere {
		if strings.HasPrefix(name, e.prefix) {
			hint = e.where
			break
		}
	}
	return Errorf(status.ConfigError, "config: there is no property %q%s", name, hint)
}
