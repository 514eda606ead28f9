package kafarr

import (
	"context"
	"errors"
	"strconv"

	"github.com/pykafarr/pykafarr/kafarr/format/avro"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/unseal"
)

// sealed is what decrypts the values of a plan. Data keys belong to a subject, and so to a topic.
type sealed struct {
	rules    []sealedRule // that encrypt, by their index
	subjects []string     // that the schema is registered under, as far as they are known
	rings    map[string]*keyring
}

// sealedRule is a rule as far as decrypting needs it.
type sealedRule struct {
	name, kek, algorithm string
	versioned            bool // values say which version of the key they were encrypted with
}

// keyring holds the keys of a topic.
type keyring struct {
	rules   []sealedRule
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

func newSealed(c *registry.Contract, rules []registry.Rule) *sealed {
	s := &sealed{subjects: c.Subjects, rings: map[string]*keyring{}}
	for _, r := range rules {
		s.rules = append(s.rules, sealedRuleOf(c, r))
	}
	return s
}

func sealedRuleOf(c *registry.Contract, r registry.Rule) sealedRule {
	parameter := func(name string) string {
		if value, given := r.Params[name]; given {
			return value
		}
		return c.Properties[name]
	}
	rule := sealedRule{name: r.Name, kek: parameter(kekName), algorithm: parameter(dekAlg)}
	if rule.algorithm == "" {
		rule.algorithm = unseal.AES256GCM
	}
	days, _ := strconv.Atoi(parameter(dekLifetime))
	rule.versioned = days > 0
	return rule
}

// ring is the keyring of a topic. Serializers name the subject by the topic, unless they are told otherwise: then it is the one that the registry knows.
func (s *sealed) ring(topic string) *keyring {
	ring := s.rings[topic]
	if ring == nil {
		subject := topic + "-value"
		if len(s.subjects) == 1 {
			subject = s.subjects[0]
		}
		ring = &keyring{rules: s.rules, subject: subject, keys: map[ringKey]*unseal.Opener{}, asked: map[int32]asking{}}
		s.rings[topic] = ring
	}
	return ring
}

// asks tells whether a record's row failed because its key is not known, which is looked up when the record is met again.
func (s *sealed) asks(chunk *source.Chunk, offset int64, err error) bool {
	var missing *avro.KeyError
	if !errors.As(err, &missing) {
		return false
	}
	s.ring(chunk.Topic).asked[chunk.Partition] = asking{offset, ringKey{missing.Rule, missing.Version}}
	return true
}

// Versioned implements avro.Keys.
func (k *keyring) Versioned(rule int) bool { return k.rules[rule].versioned }

// Opener implements avro.Keys.
func (k *keyring) Opener(rule, version int) avro.Opener {
	if opener := k.keys[ringKey{rule, version}]; opener != nil {
		return opener
	}
	return nil
}

// keyFor has the registry asked for the key that the record under the cursor has asked for. pending is as in planOf.
func (l *Listener) keyFor(s *side, ref schemaRef, ring *keyring, partition int32, offset int64) (pending bool, failed *Error) {
	at, asked := ring.asked[partition]
	if !asked {
		return false, nil
	}
	if at.offset != offset || ring.keys[at.ringKey] != nil {
		delete(ring.asked, partition)
		return false, nil
	}
	rule := ring.rules[at.rule]
	name := registry.KeyName{Kek: rule.kek, Subject: ring.subject, Version: at.version, Algorithm: rule.algorithm}
	lk := s.unsealed[name]
	if lk == nil {
		lk = &lookup{side: s, ref: ref, id: name}
		s.unsealed[name] = lk
		l.ask(lk)
	}
	if !l.answered(lk) {
		l.lookup = lk
		return true, nil
	}
	delete(s.unsealed, name)
	delete(ring.asked, partition)
	if lk.err != nil {
		return false, lk.fault(lk.err)
	}
	opener, err := l.opener(rule, lk.key)
	if err != nil {
		e := errorf(ConfigError, "rule %q: the %v: %w", rule.name, name, err)
		e.Option = "rules"
		return false, lk.fault(e)
	}
	ring.keys[at.ringKey] = opener
	return false, nil
}

// opener makes what decrypts of a key.
func (l *Listener) opener(rule sealedRule, key registry.Key) (*unseal.Opener, error) {
	if len(key.Plain) > 0 {
		return unseal.New(rule.algorithm, key.Plain)
	}
	if key.KmsType != localKMS {
		return nil, errors.New("its KMS is of type " + key.KmsType + ", and only keys of " + localKMS + " can be decrypted, and those that the registry decrypts itself (shared)")
	}
	if l.cfg.LocalSecret == "" {
		return nil, errors.New(`it needs the secret of its KMS: rules={"encrypt": {"secret": …}}`)
	}
	kms, err := unseal.Local(l.cfg.LocalSecret)
	if err != nil {
		return nil, err
	}
	plain, err := kms.Open(nil, key.Encrypted)
	if err != nil {
		return nil, errors.New("it cannot be decrypted: the secret is another one than that of the serializer")
	}
	return unseal.New(rule.algorithm, plain)
}

// keyOf asks a registry for a key.
func keyOf(ctx context.Context, r registry.Registry, name registry.KeyName) (registry.Key, error) {
	keys, ok := r.(registry.Keys)
	if !ok {
		return registry.Key{}, errorf(RegistryError, "%v: this registry keeps no keys", name)
	}
	return keys.Key(ctx, name)
}
