package kafarr

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/environ"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/internal/assemble"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/source/kafka"
)

// The parts that configurations are made of. Listeners and scans share them.

// Cluster says where the brokers are and how to log in.
type Cluster struct {
	Servers    string            // bootstrap servers, "host:port,host:port", as source.Servers reads them
	Properties map[string]string // any property of librdkafka
	// OAuthToken is asked for the tokens of sasl.mechanism=OAUTHBEARER: at once, and again before each expires, from a goroutine of its own.
	OAuthToken func(context.Context) (OAuthToken, error)
}

// OAuthToken is what OAUTHBEARER shows to brokers.
type OAuthToken = kafka.Token

func (c *Cluster) validate() error {
	if _, err := source.Servers(c.Servers, c.Properties); err != nil {
		return wrap(err)
	}
	if strings.ContainsRune(c.Servers, 0) {
		return errorf(ConfigError, "servers must not hold a NUL character")
	}
	return nil
}

// readsAll returns an error where the properties exclude one of these topics.
func (c *Cluster) readsAll(topics []string) error {
	excluded, err := source.Excluded(c.Properties)
	if err != nil {
		return wrap(err)
	}
	for _, name := range topics {
		if source.Finds(excluded, name) {
			return errorf(ConfigError, "config: topic.blacklist hides %q, which is to be read: take it out of the one or the other", name)
		}
	}
	return nil
}

// topicNames checks topics and returns those that are names, not patterns.
func topicNames(topics []string) ([]string, error) {
	seen := map[string]bool{}
	for _, t := range topics {
		switch {
		case t == "":
			return nil, errorf(ConfigError, "topics holds an empty name")
		case strings.ContainsRune(t, 0):
			return nil, errorf(ConfigError, "topics must not hold a NUL character")
		case seen[t]:
			return nil, errorf(ConfigError, "topics holds %q twice", t)
		}
		seen[t] = true
	}
	names, _, err := source.Topics(topics)
	if err != nil {
		return nil, wrap(err)
	}
	return names, nil
}

// Registry says where the schemas are.
type Registry struct {
	URL        string            // of a schema registry with Confluent's API
	Properties map[string]string // of its client, named as Confluent's clients name them
	Client     registry.Registry // instead of URL
}

// isGiven tells whether there is a registry.
func (r *Registry) isGiven() bool { return r.Client != nil || r.URL != "" }

// open makes the client, unless it is given; nil: no message names a schema of a registry.
func (r *Registry) open(variables environ.Variables) (registry.Registry, error) {
	if r.Client != nil || r.URL == "" {
		return r.Client, nil
	}
	client, err := registry.NewConfluent(r.URL, r.Properties, variables)
	if err != nil {
		return nil, wrap(err)
	}
	return client, nil
}

// Messages says what messages are, which columns they become, and what becomes of those that cannot be read.
type Messages struct {
	// Value says what values are, and Key what keys are, where Metadata asks for them.
	Value, Key Content
	// KeySchemas are those of keys of JSON. Without them, such keys are envelopes where Framing is Connect, and else their schemas are inferred.
	KeySchemas []GivenSchema
	// Framing is how values say which schema they were written with, and Schemas are those that they do not carry, for Bare and SingleObject. Keys are framed as Confluent
	// does, or as SchemaHeader or Apicurio do, but those of JSON.
	Framing Framing
	Schemas []GivenSchema
	// MessageType is the full name of the type that values are of, where schemas have several types: whatever the message indexes of values say; empty: the type that these say.
	MessageType string
	// Metadata are the columns after the fields. nil: Offset.
	Metadata []Metadata
	// Readers are the schemas to read as, of the format that Value names, or Avro's with Auto: a message written as a type of the name, or of one of the aliases, of one of them is
	// resolved to it, so that all versions of a type have the same columns. Other types are read as they were written.
	Readers []string
	// Columns are the fields to read, as paths ("customer.zip"); nil: all.
	Columns []string
	// Unions and Recursion say how types without an Arrow counterpart are read.
	Unions    format.Unions
	Recursion format.Recursion
	// OutOfRange says what becomes of values that their Arrow types cannot hold, such as a time of day of 24:00.
	OutOfRange format.OutOfRange
	// Timestamps and Enums say how those of Protobuf are read.
	Timestamps format.Timestamps
	Enums      format.Enums
	// Formats says what texts become whose JSON Schema has a format, such as date-time.
	Formats format.Formats
	// UnknownMembers says what becomes of members of JSON that the schema does not name.
	UnknownMembers format.UnknownMembers
	// Rules says what becomes of messages whose schemas have rules of a data contract that encrypt.
	Rules Rules
	// LocalSecret is the secret of the KMS that Confluent's clients call local, for DecryptRules; empty: keys that the registry does not decrypt itself are not known.
	LocalSecret string
	// Limits bound what schemas and messages may ask for.
	Limits format.Limits
	// Tombstones says what becomes of messages whose value is null.
	Tombstones Tombstones
	// Mixed says what becomes of messages of several types.
	Mixed Mixed
	// Errors says what happens to messages that cannot be decoded.
	Errors ErrorMode
	// SchemaPatience is how long, with Skip and Collect, messages wait for a schema for which the registry answers that it does not know it, or with something of no use; then they
	// count as bad. 0: DefaultSchemaPatience; negative: none. A scan waits no longer than its Timeout. With Raise a negative one is the error of the message at once, and any other
	// that of polls that bring nothing else.
	SchemaPatience time.Duration
}

// withDefaults fills in what is not given.
func (m Messages) withDefaults() Messages {
	if m.Metadata == nil {
		m.Metadata = []Metadata{{Column: Offset}}
	}
	if m.Value == Usual {
		m.Value = Avro
	}
	if m.Value == JSON && m.Framing == Confluent { // which is the default, and no framing of such values
		m.Framing = Bare
	}
	if m.Key == Usual {
		m.Key = Bytes
	}
	if m.SchemaPatience == 0 {
		m.SchemaPatience = DefaultSchemaPatience
	}
	return m
}

func (m *Messages) validate(reg *Registry) error {
	given := m.Framing == Bare || m.Framing == SingleObject
	switch typed := m.Value.IsTyped(); {
	case !typed && (m.Framing != Confluent || len(m.Schemas) > 0):
		return errorf(ConfigError, "value is bytes or string: there is no framing and no schema then")
	case !typed && (len(m.Columns) > 0 || len(m.Readers) > 0):
		return errorf(ConfigError, "value is bytes or string: there are no fields for columns to choose from, and nothing to read as another schema")
	case m.Value == JSON && m.Framing != Bare && m.Framing != Connect:
		return errorf(ConfigError, "value is json: such messages have no framing, or that of Connect")
	case m.Framing == Connect && m.Value != JSON:
		return errorf(ConfigError, "framing is connect: envelopes of Connect are read with value json")
	case m.Framing == Connect && len(m.Schemas) > 0:
		return errorf(ConfigError, "framing is connect, and schemas are given: envelopes carry theirs")
	case m.Key != JSON && len(m.KeySchemas) > 0:
		return errorf(ConfigError, `key_schema is given: it is for keys of JSON, key="json"`)
	case given && len(m.Schemas) == 0 && !m.infers():
		return errorf(ConfigError, "framing is bare or single_object: give the schemas")
	case !given && len(m.Schemas) > 0:
		return errorf(ConfigError, "schemas are given: they are for framing bare and single_object")
	case m.Framing == Bare && m.Value == Auto:
		return errorf(ConfigError, "value is auto: with framing bare nothing tells a message with a schema from one without")
	case m.Framing == SingleObject && !m.Value.HasFingerprints():
		return errorf(ConfigError, "framing is single_object: it is one of Avro, and value is another format")
	case m.Framing == Apicurio && m.Value != Auto && m.Value.HasTypes():
		return schema.ApicurioFault(false)
	case m.Framing == Apicurio && m.wants(Key) && m.Key != Auto && m.Key.HasTypes():
		return schema.ApicurioFault(true)
	case m.MessageType != "" && !m.Value.HasTypes():
		return errorf(ConfigError, "message_type is for values of Protobuf: the others have one type in a schema")
	case m.Framing == Apicurio && reg.Client == nil && reg.URL != "" && reg.Properties[registry.UseID] == "":
		return errorf(ConfigError, `framing is apicurio: say in registry_config which ids the serializers write, {%q: "globalId"} (the default of Apicurio 2) or "contentId" (that of Apicurio 3)`, registry.UseID)
	case !reg.isGiven() && m.needRegistry():
		return errorf(ConfigError, "registry_url is empty: it wants the URL of a schema registry, such as http://registry:8081/")
	case m.Rules == DecryptRules && m.Mixed == GroupMixed:
		return errorf(ConfigError, `rules is to decrypt, and mixed is group: values are decrypted with mixed="split" only`)
	}
	if _, err := m.Limits.Resolved(); err != nil {
		return errorf(ConfigError, "%w", err)
	}
	if m.Framing == Bare {
		if err := twiceGiven("schema", m.Schemas); err != nil {
			return err
		}
	}
	if err := twiceGiven("key_schema", m.KeySchemas); err != nil {
		return err
	}
	return assemble.ValidateMetadata(m.Metadata)
}

// validateTopics returns the error of a topic that none of the schemas that messages do not carry is for.
func (m *Messages) validateTopics(names []string) error {
	for _, topic := range names {
		if m.Framing == Bare && !m.infers() && !schema.HasGiven(m.Schemas, topic) {
			return schema.NotGiven(topic, false)
		}
		if m.wants(Key) && m.keyFraming() == Bare && !m.infersKeys() && !schema.HasGiven(m.KeySchemas, topic) {
			return schema.NotGiven(topic, true)
		}
	}
	return nil
}

// twiceGiven returns the error of a topic that two bare schemas are given for: nothing tells which of them a message is of.
func twiceGiven(option string, given []GivenSchema) error {
	seen := map[string]bool{}
	for _, g := range given {
		if seen[g.Topic] {
			of := "all topics"
			if g.Topic != "" {
				of = strconv.Quote(g.Topic)
			}
			return errorf(ConfigError, "%s holds two schemas for %s, and bare messages do not say which of them they are of: give one, or one by topic, {topic: schema}", option, of)
		}
		seen[g.Topic] = true
	}
	return nil
}

// infers tells whether the schemas of values are inferred of the first messages.
func (m *Messages) infers() bool {
	return m.Framing == Bare && len(m.Schemas) == 0 && m.Value.CanInfer()
}

// infersKeys tells whether those of keys are.
func (m *Messages) infersKeys() bool {
	return m.wants(Key) && m.Key.CanInfer() && m.keyFraming() == Bare && len(m.KeySchemas) == 0
}

// keyFraming is how keys say which schema they were written with.
func (m *Messages) keyFraming() Framing {
	switch {
	case m.Key == JSON && m.Framing == Connect && len(m.KeySchemas) == 0:
		return Connect
	case m.Key == JSON:
		return Bare
	case m.Framing.AsksRegistry():
		return m.Framing
	}
	return Confluent
}

// needRegistry tells whether some message may name a schema that only a registry knows.
func (m *Messages) needRegistry() bool {
	return m.Value.IsTyped() && m.Framing.AsksRegistry() || m.wants(Key) && m.Key.IsTyped() && m.keyFraming().AsksRegistry()
}

// needHeaders tells whether headers are read.
func (m *Messages) needHeaders() bool { return m.wants(Headers) || m.Framing == SchemaHeader }

// gather tells that batches may lie between each other's rows.
func (m *Messages) gather() bool { return m.Mixed == GroupMixed || m.Tombstones == SplitTombstones }

func (m *Messages) wants(column MetadataColumn) bool {
	return slices.ContainsFunc(m.Metadata, func(of Metadata) bool { return of.Column == column })
}
