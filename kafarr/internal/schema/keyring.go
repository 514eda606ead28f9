package schema

import (
	"context"
	"errors"
	"strconv"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
	"github.com/pykafarr/pykafarr/kafarr/unseal"
)

// Keyrings are what decrypts the values of a plan. Data keys belong to a subject, and so to a topic.
type Keyrings struct {
	rules    []encryption // that encrypt, by their index
	subjects []string     // that the schema is registered under, as far as they are known
	rings    map[string]*Keyring
}

// encryption is a rule as far as decrypting needs it.
type encryption struct {
	name, kek, algorithm string
	versioned            bool // values say which version of the key they were encrypted with
}

// Keyring holds the keys of a topic.
type Keyring struct {
	rules   []encryption
	subject string
	keys    map[ringKey]*unseal.Opener
	asked   map[int32]asking // by partition
}

// asking is a record whose value needs a key that is not known. Only that record waits for it, and is bad if there is none.
type asking struct {
	offset int64
	ringKey
}

type ringKey struct{ rule, version int }

// The parameters of rules.
const (
	kekName     = "encrypt.kek.name"
	dekAlg      = "encrypt.dek.algorithm"
	dekLifetime = "encrypt.dek.expiry.days"
)

// localKMS is the type of keys that follow from a secret.
const localKMS = "local-kms"

func newKeyrings(c *registry.Contract, rules []registry.Rule) *Keyrings {
	s := &Keyrings{subjects: c.Subjects, rings: map[string]*Keyring{}}
	for _, r := range rules {
		s.rules = append(s.rules, encryptionOf(c, r))
	}
	return s
}

func encryptionOf(c *registry.Contract, r registry.Rule) encryption {
	parameter := func(name string) string {
		if value, given := r.Params[name]; given {
			return value
		}
		return c.Properties[name]
	}
	rule := encryption{name: r.Name, kek: parameter(kekName), algorithm: parameter(dekAlg)}
	if rule.algorithm == "" {
		rule.algorithm = unseal.AES256GCM
	}
	days, _ := strconv.Atoi(parameter(dekLifetime))
	rule.versioned = days > 0
	return rule
}

// Of returns the keyring of a topic. Serializers name the subject by the topic, unless they are configured otherwise: then it is the one that the registry knows.
func (s *Keyrings) Of(topic string) *Keyring {
	ring := s.rings[topic]
	if ring == nil {
		subject := topic + "-value"
		if len(s.subjects) == 1 {
			subject = s.subjects[0]
		}
		ring = &Keyring{rules: s.rules, subject: subject, keys: map[ringKey]*unseal.Opener{}, asked: map[int32]asking{}}
		s.rings[topic] = ring
	}
	return ring
}

// Asks tells whether a record's row failed because its key is not known, which is looked up when the record is met again.
func (s *Keyrings) Asks(chunk *source.Chunk, offset int64, err error) bool {
	var missing *format.KeyError
	if !errors.As(err, &missing) {
		return false
	}
	s.Of(chunk.Topic).asked[chunk.Partition] = asking{offset, ringKey{missing.Rule, missing.Version}}
	return true
}

// Versioned implements format.Keys.
func (k *Keyring) Versioned(rule int) bool { return k.rules[rule].versioned }

// Opener implements format.Keys.
func (k *Keyring) Opener(rule, version int) format.Opener {
	if opener := k.keys[ringKey{rule, version}]; opener != nil {
		return opener
	}
	return nil
}

// withKey is the Resolution of a record whose schema has a plan. Where the record has asked for a key (Keyrings.Asks), the registry is asked for it.
func (s *Resolver) withKey(p *Compiled, ref Ref, ring *Keyring, partition int32, offset int64) Resolution {
	at, asked := ring.asked[partition]
	if !asked {
		return p.resolution()
	}
	if at.offset != offset || ring.keys[at.ringKey] != nil {
		delete(ring.asked, partition)
		return p.resolution()
	}
	rule := ring.rules[at.rule]
	name := registry.KeyName{Kek: rule.kek, Subject: ring.subject, Version: at.version, Algorithm: rule.algorithm}
	lookup := s.keys[name]
	if lookup == nil {
		lookup = &Lookup{resolver: s, ref: ref, name: name}
		s.keys[name] = lookup
		lookup.ask()
	}
	if !lookup.Answered() {
		return lookup.pending()
	}
	delete(s.keys, name)
	delete(ring.asked, partition)
	if lookup.err != nil {
		return Resolution{State: Unusable, Err: lookup.fault(lookup.err)}
	}
	opener, err := s.opener(rule, lookup.key)
	if err != nil {
		e := status.Errorf(status.ConfigError, "rule %q: the %v: %w", rule.name, name, err)
		e.Option = "rules"
		return Resolution{State: Unusable, Err: lookup.fault(e)}
	}
	ring.keys[at.ringKey] = opener
	return p.resolution()
}

// opener makes what decrypts of a key.
func (s *Resolver) opener(rule encryption, key registry.Key) (*unseal.Opener, error) {
	if len(key.Plain) > 0 {
		return unseal.New(rule.algorithm, key.Plain)
	}
	if key.KmsType != localKMS {
		return nil, errors.New("its KMS is of type " + key.KmsType + ", and only keys of " + localKMS + " can be decrypted, and those that the registry decrypts itself (shared)")
	}
	if s.cfg.LocalSecret == "" {
		return nil, errors.New(`it needs the secret of its KMS: rules={"encrypt": {"secret": …}}`)
	}
	kms, err := unseal.Local(s.cfg.LocalSecret)
	if err != nil {
		return nil, err
	}
	plain, err := kms.Open(nil, key.Encrypted)
	if err != nil {
		return nil, errors.New("it cannot be decrypted: the secret is another one than that of the serializer")
	}
	return unseal.New(rule.algorithm, plain)
}

// askForKey asks a registry for a key.
func askForKey(ctx context.Context, r registry.Registry, name registry.KeyName) (registry.Key, error) {
	keys, ok := r.(registry.Keys)
	if !ok {
		return registry.Key{}, status.Errorf(status.RegistryError, "%v: this registry keeps no keys", name)
	}
	return keys.Key(ctx, name)
}
