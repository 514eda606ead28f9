package kafarr

import (
	"context"
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format/avro"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/source/replay"
	"github.com/pykafarr/pykafarr/kafarr/wire"
)

// latestSchemas finds the schema that was registered last for each topic's values; where there is none, that of its last message. A topic that has neither has none.
func (c *ScanConfig) latestSchemas(ctx context.Context, cluster Cluster, topics []string) ([]LatestSchema, error) {
	var out []LatestSchema
	for _, topic := range topics {
		s, found, err := c.latestOf(ctx, topic+"-value")
		if err == nil && !found {
			s, found, err = c.writtenLast(ctx, cluster, topic)
		}
		if err != nil {
			return nil, err
		}
		if found {
			out = append(out, LatestSchema{topic, s})
		}
	}
	return out, nil
}

// latestOf asks the registry for the newest schema of a subject.
func (c *ScanConfig) latestOf(ctx context.Context, subject string) (s registry.Schema, found bool, err error) {
	subjects, ok := c.Registry.(registry.Subjects)
	if !ok {
		return s, false, nil
	}
	err = persist(ctx, func() error {
		s, err = subjects.LatestSchema(ctx, subject)
		return err
	})
	var answer *registry.Error
	if errors.As(err, &answer) && answer.Kind == registry.NotFound {
		return s, false, nil
	}
	if err == nil && c.leavesOut(s) {
		return s, false, nil
	}
	if err == nil && !isAvro(s) {
		return s, false, errorf(SchemaError, "subject %s: it is a %s schema; only AVRO is supported", subject, s.Type)
	}
	return s, err == nil, err
}

// writtenLast is the schema that the last message of a topic was written with.
func (c *ScanConfig) writtenLast(ctx context.Context, cluster Cluster, topic string) (s registry.Schema, found bool, err error) {
	m, found, err := c.peek(ctx, cluster, topic, false)
	if err != nil || !found {
		return s, false, err
	}
	record := m.Record()
	values := newSide(c.Value, c.Framing, wire.ValueSchemaHeader, false)
	ref, _, err := values.frame(topic, &record, record.Value, record.ValueLen)
	switch {
	case err != nil && c.Errors != Raise: // the reading leaves it out
		return s, false, nil
	case err != nil:
		return s, false, errorf(FramingError, "%w", err).At(topic, m.Partition, m.Offset)
	}
	guid, byGUID := values.name(ref).(wire.GUID)
	id, byID := ref.id()
	by, knows := c.Registry.(registry.ByGUID)
	if !byID && (!byGUID || !knows) {
		return s, false, nil
	}
	err = persist(ctx, func() error {
		if byGUID {
			s, err = by.SchemaByGUID(ctx, guid.String())
		} else {
			s, err = c.Registry.SchemaByID(ctx, int(id))
		}
		return err
	})
	var answer *registry.Error
	if errors.As(err, &answer) && answer.Kind == registry.NotFound && c.Errors != Raise {
		return s, false, nil
	}
	if err != nil {
		return s, false, wrap(err).At(topic, m.Partition, m.Offset)
	}
	return s, !c.leavesOut(s), nil
}

// leavesOut tells whether the reading leaves out the messages of a schema, which is another format's or invalid.
func (c *ScanConfig) leavesOut(s registry.Schema) bool {
	if c.Errors == Raise || !isAvro(s) {
		return c.Errors != Raise
	}
	_, err := avro.ParseWithin(c.Limits, s.Text, s.References...)
	return err != nil
}

// isAvro tells whether a schema is one of Avro, which a registry may leave unsaid.
func isAvro(s registry.Schema) bool { return s.Type == "" || s.Type == "AVRO" }

// TypeSchema is how the rows of a message type look.
type TypeSchema struct {
	MessageType string
	Schema      *arrow.Schema
}

// Schemas tells how rows will look, before any is read. Types are those of the reader schemas, else those registered last for the topics, else those of the topics'
// last messages.
func (p *Plan) Schemas(ctx context.Context) ([]TypeSchema, error) {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.ReadyTimeout)
	defer cancel()
	s := &schemaSearch{plan: p}
	defer s.close()
	for _, topic := range p.topics() {
		if err := s.of(ctx, topic); err != nil {
			return nil, wrap(err)
		}
	}
	return s.found, nil
}

// schemaSearch gathers the schemas of a plan's topics.
type schemaSearch struct {
	plan     *Plan
	compiler *Listener // of the topic
	cluster  Cluster   // nil until it is needed
	found    []TypeSchema
}

func (s *schemaSearch) close() {
	if s.cluster != nil {
		s.cluster.Close()
	}
}

// of adds the types of a topic.
func (s *schemaSearch) of(ctx context.Context, topic string) error {
	var err error
	cfg := s.plan.listener(&s.plan.cfg, topic, func(h source.Handler) (source.Source, error) { return replay.New().Open(h) })
	cfg.reading = nil // no messages are read
	if s.compiler, err = Open(cfg); err != nil {
		return err
	}
	defer func() { _ = s.compiler.Abort() }()
	values, err := s.values(ctx, topic)
	if err != nil {
		return err
	}
	var key *plan
	if s.compiler.keys != nil {
		if key, err = s.key(ctx, topic); err != nil {
			return err
		}
	}
	if len(values) == 0 || s.compiler.keys != nil && key == nil {
		return s.peeked(ctx, topic)
	}
	for _, value := range values {
		if value.err != nil {
			return value.err
		}
		set := newColumnSet(pair{value, key}, &s.compiler.cfg)
		set.release()
		if err := s.add(topic, set.messageType, set.schema); err != nil {
			return err
		}
	}
	return nil
}

func (s *schemaSearch) add(topic, messageType string, schema *arrow.Schema) error {
	for _, t := range s.found {
		if t.MessageType != messageType {
			continue
		}
		if t.Schema.Equal(schema) {
			return nil
		}
		hint := "read all as one with reader_schema, or each topic by itself"
		if s.keysDiffer(t.Schema, schema) {
			hint = `its keys are of another type: read each topic by itself, or with key="bytes"`
		}
		return errorf(SchemaError, "topic %s: its %s has other columns than that of another topic: %s", topic, messageType, hint)
	}
	s.found = append(s.found, TypeSchema{messageType, schema})
	return nil
}

// keysDiffer tells whether two schemas of different columns are the same but for the column of keys.
func (s *schemaSearch) keysDiffer(one, other *arrow.Schema) bool {
	if one.NumFields() != other.NumFields() {
		return false
	}
	key := ""
	for _, m := range s.plan.cfg.Metadata {
		if m.Column == Key {
			key = m.name()
		}
	}
	for i, field := range one.Fields() {
		if field.Name != key && !field.Equal(other.Field(i)) {
			return false
		}
	}
	return true
}

// values are the plans of a topic's values; none: its messages have to be looked at.
func (s *schemaSearch) values(ctx context.Context, topic string) ([]*plan, error) {
	l, cfg := s.compiler, &s.plan.cfg
	switch {
	case l.values.untyped():
		return []*plan{l.values.plans[refUntyped]}, nil
	case cfg.Framing == Bare:
		for _, of := range []string{topic, ""} {
			if ref, ok := l.values.numbers[of]; ok {
				return []*plan{l.values.plans[ref]}, nil
			}
		}
		return nil, errorf(ConfigError, "schema: none was given for topic %s", topic)
	case cfg.Framing == SingleObject:
		var out []*plan
		for ref := refNumbered; ref < l.values.next; ref++ {
			out = append(out, l.values.plans[ref])
		}
		return out, nil
	case len(l.readers) > 0:
		var out []*plan
		for _, reader := range l.readers {
			compiled, err := l.planFor(l.values, reader)
			if len(cfg.Readers) == 0 && cfg.passes(err) {
				continue // it is the registry's
			}
			if err != nil {
				return nil, err
			}
			compiled.registered = true
			out = append(out, compiled)
		}
		return out, nil
	}
	schema, found, err := cfg.latestOf(ctx, topic+"-value")
	if err != nil || !found {
		return nil, err
	}
	compiled := l.compile(l.values, schema)
	if cfg.passes(compiled.err) {
		return nil, nil
	}
	compiled.registered = true
	return []*plan{compiled}, nil
}

// key is the plan of a topic's keys; nil: its messages have to be looked at.
func (s *schemaSearch) key(ctx context.Context, topic string) (*plan, error) {
	l := s.compiler
	if l.keys.untyped() {
		return l.keys.plans[refUntyped], nil
	}
	schema, found, err := s.plan.cfg.latestOf(ctx, topic+"-key")
	if err != nil || !found {
		return nil, err
	}
	compiled := l.compile(l.keys, schema)
	if s.plan.cfg.passes(compiled.err) {
		return nil, nil
	}
	if compiled.err != nil {
		return nil, compiled.err
	}
	compiled.registered = true
	return compiled, nil
}

// peeked adds the type of a topic's last message.
func (s *schemaSearch) peeked(ctx context.Context, topic string) error {
	cfg := &s.plan.cfg
	if s.cluster == nil {
		var err error
		if s.cluster, err = cfg.dial(); err != nil {
			return err
		}
	}
	m, found, err := cfg.peek(ctx, s.cluster, topic, s.compiler.keys != nil && !s.compiler.keys.untyped())
	if err == nil && !found {
		m, found, err = cfg.peek(ctx, s.cluster, topic, false)
	}
	if err != nil {
		return err
	}
	if !found {
		return nil // nothing is known of it, and nothing is to be read
	}
	batch, err := decodePeeked(ctx, s.plan.listener(cfg, topic, nil), m, cfg.ReadyTimeout)
	var bad *Error
	if errors.As(err, &bad) && cfg.passes(bad) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the last message of topic %s says what its rows look like: %w", topic, err)
	}
	defer batch.Release()
	if batch.Record == nil {
		return nil
	}
	return s.add(topic, batch.MessageType, batch.Record.Schema())
}

// passes tells whether the reading leaves out messages that have this error; nil: they have none.
func (c *ScanConfig) passes(err *Error) bool {
	return err != nil && c.Errors != Raise && ofMessage(err)
}

// ofMessage tells whether an error is a message's own, for which Skip and Collect leave it out.
func ofMessage(err *Error) bool {
	return err.Option == "" && (ofSchema(err) || doubtful(err) || err.Code == DecodeError)
}
