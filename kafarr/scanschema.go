package kafarr

import (
	"context"
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/internal/assemble"
	"github.com/pykafarr/pykafarr/kafarr/internal/clientlog"
	"github.com/pykafarr/pykafarr/kafarr/internal/scan"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/registry"
)

// latestSchemas finds the schema that was registered last for each topic's values; where there is none, that of its last message. A topic that has neither has none.
func (c *ScanConfig) latestSchemas(ctx context.Context, cluster ScanCluster, topics []string) ([]LatestSchema, error) {
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
	subjects, ok := c.Registry.Client.(registry.Subjects)
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
	if err != nil {
		return s, false, err
	}
	if _, other := schema.FormatOf(s); other != nil {
		return s, false, errorf(SchemaError, "subject %s: %w", subject, other)
	}
	return s, true, nil
}

// writtenLast is the schema that the last message of a topic was written with.
func (c *ScanConfig) writtenLast(ctx context.Context, cluster ScanCluster, topic string) (s registry.Schema, found bool, err error) {
	m, found, err := scan.LastMessage(ctx, cluster, topic, false)
	if err != nil || !found {
		return s, false, err
	}
	schemas, err := c.inferring(ctx, nil)
	if err != nil {
		return s, false, err
	}
	record := m.Record()
	ref, _, fault := schemas.Values.Frame(topic, &record)
	switch {
	case fault != nil && c.Messages.Errors != Raise: // the reading leaves it out
		return s, false, nil
	case fault != nil:
		return s, false, fault.At(topic, m.Partition, m.Offset)
	}
	named := false
	err = persist(ctx, func() error {
		s, named, err = schemas.Values.SchemaOf(ctx, ref)
		return err
	})
	var answer *registry.Error
	if errors.As(err, &answer) && answer.Kind == registry.NotFound && c.Messages.Errors != Raise {
		return s, false, nil
	}
	if err != nil {
		return s, false, wrap(err).At(topic, m.Partition, m.Offset)
	}
	return s, named && !c.leavesOut(s), nil
}

// inferring makes the Resolvers for the search of schemas, which reads single messages only. latest are the schemas that values are read as.
func (c *ScanConfig) inferring(ctx context.Context, latest []registry.Schema) (*schema.Resolvers, error) {
	m := c.Messages
	m.Errors, m.SchemaPatience = Raise, -1 // what the registry does not have is an error at once
	from := c.schemaSources(c.Memory.schemaBytes(), latest)
	from.shared = from.shared.WithoutReaders()
	return m.resolvers(ctx, from, clientlog.New(c.Logger))
}

// leavesOut reports whether a scan leaves out the messages of a schema: it is invalid, or of another format, and errors are not raised.
func (c *ScanConfig) leavesOut(s registry.Schema) bool {
	return c.Messages.Errors != Raise && schema.Check(s, c.Messages.Limits) != nil
}

// TypeSchema is the Arrow schema of the rows of a message type.
type TypeSchema struct {
	MessageType string
	Schema      *arrow.Schema
}

// Schemas returns the Arrow schemas of the rows before any is read: those of the reader schemas, else of the schemas that were registered last for the topics, else of the topics'
// last messages.
func (p *Plan) Schemas(ctx context.Context) ([]TypeSchema, error) {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
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
	plan    *Plan
	schemas *schema.Resolvers // of the topic
	cluster ScanCluster       // nil until it is needed
	found   []TypeSchema
}

func (s *schemaSearch) close() {
	if s.cluster != nil {
		s.cluster.Close()
	}
}

// of adds the types of a topic.
func (s *schemaSearch) of(ctx context.Context, topic string) error {
	var err error
	lookups, end := context.WithCancel(context.WithoutCancel(ctx)) // where the time is over, the error says which schema was waited for
	defer end()
	if s.schemas, err = s.plan.cfg.inferring(lookups, s.plan.latestOf(topic)); err != nil {
		return err
	}
	values, err := s.values(ctx, topic)
	if err != nil {
		return err
	}
	var key *schema.Compiled
	if s.schemas.Keys != nil {
		if key, err = s.key(ctx, topic); err != nil {
			return err
		}
	}
	if len(values) == 0 || s.schemas.Keys != nil && key == nil {
		return s.peeked(ctx, topic)
	}
	for _, value := range values {
		if value.Err != nil {
			return value.Err
		}
		columns := assemble.NewColumns(schema.Pair{Value: value, Key: key}, s.plan.cfg.Messages.columnOptions(s.plan.cfg.Memory.columnBytes()))
		columns.Release()
		if err := s.add(topic, columns.MessageType(), columns.Schema()); err != nil {
			return err
		}
	}
	return nil
}

func (s *schemaSearch) add(topic, messageType string, found *arrow.Schema) error {
	for _, t := range s.found {
		if t.MessageType != messageType {
			continue
		}
		if t.Schema.Equal(found) {
			return nil
		}
		hint := "read all as one with reader_schema, or each topic by itself"
		if s.keysDiffer(t.Schema, found) {
			hint = `its keys are of another type: read each topic by itself, or with key="bytes"`
		}
		return errorf(SchemaError, "topic %s: its %s has other columns than that of another topic: %s", topic, messageType, hint)
	}
	s.found = append(s.found, TypeSchema{messageType, found})
	return nil
}

// keysDiffer reports whether two schemas differ in the column of keys only.
func (s *schemaSearch) keysDiffer(one, other *arrow.Schema) bool {
	if one.NumFields() != other.NumFields() {
		return false
	}
	key := ""
	for _, m := range s.plan.cfg.Messages.Metadata {
		if m.Column == Key {
			key = m.Name()
		}
	}
	for i, field := range one.Fields() {
		if field.Name != key && !field.Equal(other.Field(i)) {
			return false
		}
	}
	return true
}

// values returns the plans of a topic's values; none: a message has to be looked at.
func (s *schemaSearch) values(ctx context.Context, topic string) ([]*schema.Compiled, error) {
	values, cfg := s.schemas.Values, &s.plan.cfg
	switch {
	case values.IsUntyped():
		return []*schema.Compiled{values.UntypedPlan()}, nil
	case cfg.Messages.Framing == Bare:
		if given, ok := values.GivenPlan(topic); ok {
			return []*schema.Compiled{given}, nil
		}
		return nil, errorf(ConfigError, "schema: none was given for topic %s", topic)
	case cfg.Messages.Framing == SingleObject:
		return values.GivenPlans(), nil
	case len(values.Readers()) > 0:
		var out []*schema.Compiled
		for _, reader := range values.Readers() {
			compiled, err := values.CompileReader(reader)
			if len(cfg.Messages.Readers) == 0 && cfg.passes(err) {
				continue // it is the registry's
			}
			if err != nil {
				return nil, err
			}
			out = append(out, compiled)
		}
		return out, nil
	}
	latest, found, err := cfg.latestOf(ctx, topic+"-value")
	if err != nil || !found {
		return nil, err
	}
	compiled := values.Compile(latest)
	if cfg.passes(compiled.Err) {
		return nil, nil
	}
	return []*schema.Compiled{compiled}, nil
}

// key returns the plan of a topic's keys; nil: a message has to be looked at.
func (s *schemaSearch) key(ctx context.Context, topic string) (*schema.Compiled, error) {
	if s.schemas.Keys.IsUntyped() {
		return s.schemas.Keys.UntypedPlan(), nil
	}
	latest, found, err := s.plan.cfg.latestOf(ctx, topic+"-key")
	if err != nil || !found {
		return nil, err
	}
	compiled := s.schemas.Keys.Compile(latest)
	if s.plan.cfg.passes(compiled.Err) {
		return nil, nil
	}
	if compiled.Err != nil {
		return nil, compiled.Err
	}
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
	m, found, err := scan.LastMessage(ctx, s.cluster, topic, s.schemas.Keys != nil && !s.schemas.Keys.IsUntyped())
	if err == nil && !found {
		m, found, err = scan.LastMessage(ctx, s.cluster, topic, false)
	}
	if err != nil {
		return err
	}
	if !found {
		return nil // there is no message: nothing to infer from, and nothing to read
	}
	columns, err := s.decode(ctx, &m)
	var bad *Error
	if errors.As(err, &bad) && cfg.passes(bad) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the last message of topic %s says what its rows look like: %w", topic, err)
	}
	return s.add(topic, columns.MessageType(), columns.Schema())
}

// passes reports whether a scan leaves out messages with this error; nil is no error.
func (c *ScanConfig) passes(err *Error) bool {
	return err != nil && c.Messages.Errors != Raise && ofMessage(err)
}

// ofMessage reports whether an error is a message's own, so that Skip and Collect leave the message out.
func ofMessage(err *Error) bool {
	return err.Option == "" && (schema.IsPermanent(err) || schema.IsMissing(err) || err.Code == DecodeError)
}
