package redact

import (
	"net/url"
	"slices"
	"strings"
)

// secretProperties are the ends of the names of a Kafka client's properties whose values nobody may see.
var secretProperties = []string{"password", "secret", "passphrase", "key.pem", "oauthbearer.config"}

// Properties finds what is secret among a Kafka client's properties, passwords in URLs included, and knows these others besides.
func Properties(properties map[string]string, others ...string) *Secrets {
	found := slices.Clone(others)
	for name, value := range properties {
		for _, end := range secretProperties {
			if strings.HasSuffix(name, end) {
				found = append(found, value)
			}
		}
		if address, err := url.Parse(value); err == nil && address.User != nil {
			password, _ := address.User.Password()
			found = append(found, password)
		}
	}
	return New(found...)
}
