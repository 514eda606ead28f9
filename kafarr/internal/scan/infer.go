package scan

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/internal/assemble"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Inference finds the schemas of rows before any is read.
type Inference struct {
	Dial     func() (Cluster, error)
	Registry registry.Registry // nil: none
	// Resolvers makes what resolves the schemas of a topic's messages, which are read as planned. A schema that the registry does not have is an error at once.
	Resolvers  func(ctx context.Context, planned Planned) (*schema.Resolvers, error)
	Errors     assemble.ErrorMode // of the scan
	Limits     format.Limits
	Framing    schema.Framing
	Value, Key schema.Content // as the options say
	HasReaders bool           // the caller has given schemas to read as
	Columns    *assemble.Options
	Headers    bool // are read as text
}

// LatestSchema is what a topic's values are read as. Another topic may have another version of the same type.
type LatestSchema struct {
	Topic string
	IsKey bool // keys are, and not values
	registry.Schema
}

// Planned are the schemas that a topic's messages are read as.
type Planned struct{ Values, Keys []registry.Schema }

// TypeSchema is the Arrow schema of the rows of a message type.
type TypeSchema struct {
	MessageType string
	Schema      *arrow.Schema
}

// LatestSchemas finds the schema that was registered last for each topic's values; where there is none, that of its last message. A topic that has neither has none.
func (i *Inference) LatestSchemas(ctx context.Context, cluster Cluster, topics []string) ([]LatestSchema, error) {
	var out []LatestSchema
	for _, topic := range topics {
		s, found, err := i.latestValue(ctx, topic)
		if err == nil && !found {
			s, found, err = i.writtenLast(ctx, cluster, topic)
		}
		if err != nil {
			return nil, err
		}
		if found {
			out = append(out, LatestSchema{Topic: topic, Schema: s})
		}
	}
	return out, nil
}

// latestValue asks the registry for the newest schema of a topic's values.
func (i *Inference) latestValue(ctx context.Context, topic string) (registry.Schema, bool, error) {
	return i.latestOf(ctx, topic+"-value", i.Value, false)
}

// latestOf asks the registry for the newest schema of a subject, whose messages are read as a content.
func (i *Inference) latestOf(ctx context.Context, subject string, content schema.Content, isKey bool) (s registry.Schema, found bool, err error) {
	subjects, ok := i.Registry.(registry.Subjects)
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
	if err == nil && i.leavesOut(s) {
		return s, false, nil
	}
	if err != nil {
		return s, false, err
	}
	if other := content.Fits(s, isKey); other != nil {
		other.Err = fmt.Errorf("subject %s: %w", subject, other.Err)
		return s, false, other
	}
	return s, true, nil
}

// writtenLast is the schema that the last message of a topic was written with.
func (i *Inference) writtenLast(ctx context.Context, cluster Cluster, topic string) (s registry.Schema, found bool, err error) {
	m, found, err := LastMessage(ctx, cluster, topic, func(r *source.Record) bool { return r.ValueLen >= 0 })
	if err != nil || !found {
		return s, false, err
	}
	schemas, err := i.Resolvers(ctx, Planned{})
	if err != nil {
		return s, false, err
	}
	record := m.Record()
	ref, _, fault := schemas.Values.Frame(topic, &record)
	switch {
	case i.passes(fault): // the reading leaves it out
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
	if errors.As(err, &answer) && answer.Kind == registry.NotFound && i.Errors != assemble.Raise {
		return s, false, nil
	}
	if err != nil {
		return s, false, status.Wrap(err).At(topic, m.Partition, m.Offset)
	}
	return s, named && !i.leavesOut(s), nil
}

// leavesOut reports whether a scan leaves out the messages of a schema: it is invalid, or of a format that is not read, and errors are not raised.
func (i *Inference) leavesOut(s registry.Schema) bool {
	return i.Errors != assemble.Raise && schema.Check(s, i.Limits) != nil
}

// Schemas returns the Arrow schemas of the rows of topics: those of the schemas to read as, else of the schemas that were registered last, else of the topics' last messages.
// planned are the schemas that a topic's messages are read as.
func (i *Inference) Schemas(ctx context.Context, topics []string, planned func(topic string) Planned) ([]TypeSchema, error) {
	s := &schemaSearch{Inference: i, planned: planned}
	defer s.close()
	for _, topic := range topics {
		if err := s.of(ctx, topic); err != nil {
			return nil, status.Wrap(err)
		}
	}
	return s.found, nil
}

// schemaSearch gathers the schemas of topics.
type schemaSearch struct {
	*Inference
	planned func(topic string) Planned
	schemas *schema.Resolvers // of the topic
	cluster Cluster           // nil until it is needed
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
	if s.schemas, err = s.Resolvers(lookups, s.planned(topic)); err != nil {
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
		columns := assemble.NewColumns(schema.Pair{Value: value, Key: key}, s.Columns)
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
		return status.Errorf(status.SchemaError, "topic %s: its %s has other columns than that of another topic: %s", topic, messageType, hint)
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
	for _, m := range s.Columns.Metadata {
		if m.Column == assemble.Key {
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
	values := s.schemas.Values
	switch {
	case values.IsUntyped():
		return []*schema.Compiled{values.UntypedPlan()}, nil
	case s.Framing == schema.Bare:
		if given, ok := values.GivenPlan(topic); ok {
			return []*schema.Compiled{given}, nil
		}
		if values.Infers() {
			return nil, nil // there was no value when it was planned
		}
		return nil, status.Errorf(status.ConfigError, "schema: none was given for topic %s", topic)
	case s.Framing == schema.SingleObject:
		return values.GivenPlans(), nil
	case len(values.Readers()) > 0:
		var out []*schema.Compiled
		for _, reader := range values.Readers() {
			compiled, err := values.CompileReader(reader, topic)
			if !s.HasReaders && s.passes(err) {
				continue // it is the registry's
			}
			if err != nil {
				return nil, err
			}
			if compiled.HasOthers {
				return nil, nil
			}
			out = append(out, compiled)
		}
		return out, nil
	case s.Framing == schema.Connect:
		return nil, nil // they carry their schemas themselves
	}
	latest, found, err := s.latestValue(ctx, topic)
	if err != nil || !found {
		return nil, err
	}
	compiled := values.Compile(latest, topic)
	if s.passes(compiled.Err) || compiled.HasOthers {
		return nil, nil
	}
	return []*schema.Compiled{compiled}, nil
}

// key returns the plan of a topic's keys; nil: a message has to be looked at.
func (s *schemaSearch) key(ctx context.Context, topic string) (*schema.Compiled, error) {
	keys := s.schemas.Keys
	switch {
	case keys.IsUntyped():
		return keys.UntypedPlan(), nil
	case !keys.AsksRegistry():
		given, _ := keys.GivenPlan(topic) // nil: envelopes, or there was no key when it was planned
		return given, nil
	}
	latest, found, err := s.latestOf(ctx, topic+"-key", s.Key, true)
	if err != nil || !found {
		return nil, err
	}
	compiled := s.schemas.Keys.Compile(latest, topic)
	if s.passes(compiled.Err) || compiled.HasOthers {
		return nil, nil
	}
	if compiled.Err != nil {
		return nil, compiled.Err
	}
	return compiled, nil
}

// peeked adds the type of a topic's last message.
func (s *schemaSearch) peeked(ctx context.Context, topic string) error {
	if s.cluster == nil {
		var err error
		if s.cluster, err = s.Dial(); err != nil {
			return err
		}
	}
	hasValue := func(r *source.Record) bool { return !s.schemas.Values.IsNull(r) }
	hasBoth := func(r *source.Record) bool { return hasValue(r) && !s.schemas.Keys.IsNull(r) }
	wanted := hasValue
	if s.schemas.Keys != nil && !s.schemas.Keys.IsUntyped() {
		wanted = hasBoth
	}
	m, found, err := LastMessage(ctx, s.cluster, topic, wanted)
	if err == nil && !found {
		m, found, err = LastMessage(ctx, s.cluster, topic, hasValue)
	}
	if err != nil {
		return err
	}
	if !found {
		return nil // there is no message: nothing to infer from, and nothing to read
	}
	columns, err := s.decode(ctx, &m)
	var bad *status.Error
	if errors.As(err, &bad) && s.passes(bad) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the last message of topic %s says what its rows look like: %w", topic, err)
	}
	return s.add(topic, columns.MessageType(), columns.Schema())
}

// passes reports whether a scan leaves out messages with this error; nil is no error.
func (i *Inference) passes(err *status.Error) bool {
	return err != nil && i.Errors != assemble.Raise && ofMessage(err)
}

// ofMessage reports whether an error is a message's own, so that Skip and Collect leave the message out.
func ofMessage(err *status.Error) bool {
	return err.Option == "" && (schema.IsPermanent(err) || schema.IsMissing(err))
}

// persist repeats what fails for the moment, such as a request to a registry that is down, until ctx ends.
func persist(ctx context.Context, try func() error) error {
	for pause := schema.FirstRetryPause; ; pause = min(2*pause, schema.LastRetryPause) {
		err := try()
		if err == nil || !schema.IsTransient(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}
