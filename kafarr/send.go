package kafarr

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/internal/assemble"
	"github.com/pykafarr/pykafarr/kafarr/internal/dispatch"
	"github.com/pykafarr/pykafarr/kafarr/internal/subject"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/sink"
	"github.com/pykafarr/pykafarr/kafarr/wire"
)

// SendOptions say how the rows of a frame become messages.
type SendOptions struct {
	Topic string
	// MessageType is the full name of the type; empty: that of the schema. NullType: each row is a tombstone, and there is no schema. BytesType and StringType, without a schema: the
	// column "value" is sent as it is.
	MessageType string
	// Value is what the values are. Usual: what the schema is of, and Avro for one that is given or derived. JSON: no registry knows of it, and messages have no framing; where no schema
	// is given, it is derived.
	Value  Content
	Schema SchemaChoice
	// Framing is how messages say which schema they were written with: Confluent, SchemaHeader or Bare.
	Framing Framing
	// Key, Partition, Timestamp, Headers and Tombstone are the columns that say these of a message. Empty: the column that a listener gives them in, where the frame has it.
	Key                                      KeyChoice
	Partition, Timestamp, Headers, Tombstone string
	// Constant are headers of each message, before those of the column Headers.
	Constant []sink.Header
	// Partitioner has one of librdkafka's names; empty: that of the property partitioner, or consistent_random.
	Partitioner string
	Extra       format.ExtraColumns
	Missing     format.MissingColumns
	// FirstRow is the number of the first row, for errors and reports, where a frame is sent in parts.
	FirstRow int64
	// CheckOnly checks every value and sends nothing: the report has no row.
	CheckOnly bool
}

// The message types that have no schema, as listeners give them.
const (
	NullType   = "null"
	BytesType  = "bytes"
	StringType = "string"
)

// isRaw tells whether values are sent as they are.
func (o *SendOptions) isRaw() bool {
	return (o.MessageType == BytesType || o.MessageType == StringType) && reflect.ValueOf(o.Schema).IsZero()
}

// SchemaChoice says which schema rows, or keys, are written with. The zero value is the last version under the subject that is of the message type.
type SchemaChoice struct {
	// Definition is the schema itself. It is looked up under its subject, and registered there if Register is set.
	Definition registry.Definition
	Register   bool
	// Derive makes the schema of the frame's columns instead, with the symbols that Enums gives.
	Derive bool
	Enums  map[string][]string
	// ID is that of a schema.
	ID int
	// Subject replaces the one that Strategy names. Version is one of its versions, or LatestVersion.
	Subject  string
	Version  int
	Strategy SubjectStrategy
	// MessageType is the full name of one of the types of a file of Protobuf; empty: SendOptions.MessageType, and for keys the first one.
	MessageType string
}

// LatestVersion is the SchemaChoice.Version of the version that was registered last.
const LatestVersion = subject.Latest

// SubjectStrategy says under which subject the schema of a message is registered.
type SubjectStrategy = subject.Strategy

// The strategies.
const (
	TopicSubject       = subject.Topic       // "<topic>-value"
	RecordSubject      = subject.Record      // the full name of the type
	TopicRecordSubject = subject.TopicRecord // "<topic>-<full name>"
)

// KeyChoice says what the keys are.
type KeyChoice struct {
	Column string
	// Format is Bytes, which takes texts and bytes as they are; String, which takes whole numbers, too; Avro, JSONSchema or Protobuf, which write values by Schema, framed as values are. Usual:
	// Bytes, and Avro for a column of a listener's that is of another type.
	Format Content
	Schema SchemaChoice
}

// Send sends the rows of record batches, which are one frame: all of them are checked before a byte of them is sent, and have one schema. It returns once all rows are encoded and
// within the memory limit: the batches may be changed then, and the report says what becomes of the rows. Where an error comes with a report, some rows may have been sent.
func (p *Producer) Send(ctx context.Context, options SendOptions, batches ...arrow.RecordBatch) (*SendReport, error) {
	p.under.RLock()
	defer p.under.RUnlock()
	if err := p.open(); err != nil {
		return nil, err
	}
	if err := p.mayProduce(nil); err != nil {
		return nil, err
	}
	return p.send(ctx, options, batches)
}

func (p *Producer) send(ctx context.Context, options SendOptions, batches []arrow.RecordBatch) (*SendReport, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	release := context.AfterFunc(p.ctx, cancel)
	defer release()
	if len(batches) == 0 {
		return nil, errorf(ConfigError, "there is no record batch to send: one without rows says of which columns the frame is")
	}
	plan, err := p.plan(ctx, options, batches[0].Schema())
	if err != nil {
		return nil, p.failure(ctx, err)
	}
	for _, b := range batches[1:] {
		if !b.Schema().Equal(batches[0].Schema()) {
			return nil, errorf(ConfigError, "the record batches have different columns: %v and %v", batches[0].Schema(), b.Schema())
		}
	}
	checked, err := plan.Check(batches)
	if err != nil {
		return nil, p.failure(ctx, err)
	}
	if options.CheckOnly {
		return checked.Unsent(), nil
	}
	report, err := checked.Send(ctx, p.sink, p.start(), p.ended)
	if err != nil {
		return report, p.failure(ctx, err)
	}
	return report, nil
}

// failure is the error of a call that the producer's end may have interrupted.
func (p *Producer) failure(ctx context.Context, err error) error {
	if p.ctx.Err() != nil {
		return errorf(ClosedError, "the producer was closed during the call")
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return err
	}
	return wrap(err) // a time-out of the registry's or of a broker's is that one's error
}

// start is the partition that the next frame's rows without keys begin with: frames take turns.
func (p *Producer) start() int32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = (p.next + 1) & (1<<30 - 1)
	return p.next
}

// TargetSchema is the schema that a Send with these options would write with, and the columns that a listener reads it as. columns are those of the frame, for a schema that is to be
// derived.
func (p *Producer) TargetSchema(ctx context.Context, options SendOptions, columns *arrow.Schema) (*TargetSchema, error) {
	if err := p.open(); err != nil {
		return nil, err
	}
	if err := p.known(ctx, &options); err != nil {
		return nil, p.failure(ctx, err)
	}
	roles := options.roles(columns)
	chosen, err := p.choose(ctx, &options, roles, columns)
	if err != nil {
		return nil, p.failure(ctx, err)
	}
	return &TargetSchema{MessageType: chosen.MessageType(), Text: chosen.Text, ID: chosen.ID, Subject: chosen.Subject, Version: chosen.Version, Columns: arrow.NewSchema(chosen.Columns, nil)}, nil
}

// TargetSchema is a schema that rows are written with.
type TargetSchema struct {
	MessageType string
	Text        string
	ID          int    // 0: it is of no registry
	Subject     string // empty: it was not found by one
	Version     int    // 0: not known
	Columns     *arrow.Schema
}

// plan says how the rows of a frame become messages.
func (p *Producer) plan(ctx context.Context, options SendOptions, columns *arrow.Schema) (*dispatch.Plan, error) {
	if strings.TrimSpace(options.Topic) == "" {
		return nil, errorf(ConfigError, "topic is empty: it wants the name of a topic")
	}
	if err := p.known(ctx, &options); err != nil {
		return nil, err
	}
	roles := options.roles(columns)
	plan := &dispatch.Plan{
		Topic: options.Topic, Key: roles.key, Partition: roles.partition, Timestamp: roles.timestamp, Headers: roles.headers, Tombstone: roles.tombstone,
		Constant: options.Constant, FirstRow: options.FirstRow, Bounds: p.batches.bounds, Compression: p.batches.compression, Workers: p.cfg.Workers,
	}
	if plan.Workers == 0 {
		plan.Workers = min(runtime.GOMAXPROCS(0), 4)
	}
	var err error
	if plan.Partitioner, err = p.batches.partitionerOf(options.Partitioner); err != nil {
		return nil, err
	}
	plan.Raw = options.isRaw()
	if options.MessageType != NullType && !plan.Raw {
		chosen, err := p.choose(ctx, &options, roles, columns)
		if err != nil {
			return nil, err
		}
		framed := options.Framing
		if options.Value == JSON {
			framed = Bare
		}
		if plan.Prefix, plan.Named, err = framing(framed, chosen, wire.ValueSchemaHeader); err != nil {
			return nil, err
		}
		plan.Outdated = append(plan.Outdated, wire.ValueSchemaHeader)
		if plan.Columns, err = roles.values(columns, chosen.Columns); err != nil {
			return nil, err
		}
		if plan.Value, err = p.encodings.encoding(chosen, plan.Columns, format.EncodeOptions{Extra: options.Extra, Missing: options.Missing, Limits: p.cfg.Limits}); err != nil {
			return nil, err
		}
	}
	return plan, p.planKeys(ctx, plan, options, columns)
}

// known asks whether there is such a topic, before a schema is registered for it: that would stay in the registry. A check wants to know it, too.
func (p *Producer) known(ctx context.Context, options *SendOptions) error {
	if !options.CheckOnly && !options.Schema.Register && !options.Key.Schema.Register {
		return nil
	}
	_, err := p.sink.Partitions(ctx, options.Topic, false)
	return err
}

// choose finds the schema of the values.
func (p *Producer) choose(ctx context.Context, options *SendOptions, roles roles, columns *arrow.Schema) (*subject.Chosen, error) {
	choice := options.Schema.choice(options.Value)
	choice.Topic, choice.Unnamed = options.Topic, options.Framing == Bare
	if own := choice.MessageType; own != "" && options.MessageType != "" && own != options.MessageType {
		return nil, errorf(ConfigError, "message_type is %s, and the schema is given as that of %s: leave out one of them", options.MessageType, own)
	}
	choice.MessageType = cmp.Or(options.MessageType, choice.MessageType)
	derive := options.Schema.Derive
	if options.Value == JSON {
		if choice.ID != 0 || choice.Version != 0 || choice.Subject != "" || choice.Register || len(choice.Definition.References) > 0 {
			return nil, errorf(ConfigError, `no registry has schemas for value="json": give an Arrow schema or a JSON Schema, or none, or set value="jsonschema"`)
		}
		choice.Unnamed = true
		derive = derive || choice.Definition.Text == ""
	}
	if derive {
		fields, err := roles.values(columns, nil)
		if err != nil {
			return nil, err
		}
		if options.MessageType == "" && options.Value != JSON {
			return nil, errorf(ConfigError, "message_type is None: a schema that is derived needs a name")
		}
		if choice.Definition.Text, err = p.chooser.Derive(options.Value, options.MessageType, fields, format.DeriveOptions{Enums: options.Schema.Enums}); err != nil {
			return nil, err
		}
	}
	return p.chooser.Choose(ctx, choice)
}

func (c *SchemaChoice) choice(content Content) subject.Choice {
	definition := c.Definition
	if definition.Type == "" {
		definition.Type = content.RegistryType()
	}
	return subject.Choice{Content: content, Definition: definition, Register: c.Register, ID: c.ID, Subject: c.Subject, Version: c.Version, Strategy: c.Strategy, MessageType: c.MessageType}
}

// planKeys says how keys are written.
func (p *Producer) planKeys(ctx context.Context, plan *dispatch.Plan, options SendOptions, columns *arrow.Schema) error {
	if plan.Key == "" {
		return nil
	}
	field, err := only(columns, "key", plan.Key)
	if err != nil {
		return err
	}
	content, by := options.Key.Format, options.Key.Format
	if content == Usual && options.Key.Column == "" && !isText(field.Type) {
		content = Avro // a listener's column of keys that it has read by a schema
	}
	if !reflect.ValueOf(options.Key.Schema).IsZero() {
		if content == Bytes || content == String {
			return errorf(ConfigError, "key: a schema is given, and the format is %s, which has none: leave out one of them", keyWords[content])
		}
		if content == Usual {
			content = Avro
		}
	}
	switch content {
	case Usual, Bytes:
		return nil
	case String:
		plan.KeyForm = dispatch.KeyTexts
		return nil
	case Avro, JSONSchema, Protobuf:
	default:
		return errorf(ConfigError, "key: the format of keys must be bytes, string, avro, jsonschema or protobuf")
	}
	choice := options.Key.Schema.choice(by)
	choice.Topic, choice.IsKey, choice.Unnamed = options.Topic, true, options.Framing == Bare
	if choice.Strategy != subject.Topic && choice.Subject == "" && choice.Definition.Text == "" && choice.ID == 0 {
		return errorf(ConfigError, "key: give the schema of the keys, or its subject: the strategy names subjects by the type, which is not known")
	}
	if options.Key.Schema.Derive {
		return errorf(ConfigError, "key: the schema of keys is not derived: give it")
	}
	chosen, err := p.chooser.Choose(ctx, choice)
	if err != nil {
		return err
	}
	if plan.KeyPrefix, plan.KeyNamed, err = framing(options.Framing, chosen, wire.KeySchemaHeader); err != nil {
		return err
	}
	plan.Outdated = append(plan.Outdated, wire.KeySchemaHeader)
	plan.KeyForm, plan.KeyColumn = dispatch.KeyValues, field
	plan.KeyValue, err = p.encodings.encoding(chosen, []arrow.Field{field}, format.EncodeOptions{Column: plan.Key, Limits: p.cfg.Limits})
	return err
}

var keyWords = map[Content]string{Bytes: "bytes", String: "string"}

func isText(t arrow.DataType) bool {
	switch t.ID() {
	case arrow.STRING, arrow.LARGE_STRING, arrow.STRING_VIEW, arrow.BINARY, arrow.LARGE_BINARY, arrow.BINARY_VIEW, arrow.FIXED_SIZE_BINARY, arrow.NULL:
		return true
	case arrow.DICTIONARY:
		return isText(t.(*arrow.DictionaryType).ValueType)
	}
	return false
}

// framing is how messages name a schema.
func framing(f Framing, chosen *subject.Chosen, header string) (prefix []byte, named []sink.Header, err error) {
	const magic = 0 // Confluent's first byte
	if f == Bare {
		return nil, nil, nil
	}
	var indexes []byte
	if file, ok := chosen.Schema.(format.Indexed); ok {
		path := file.Path()
		if path == nil {
			return nil, nil, errorf(ConfigError, "message_type is %s, which a file defines that the schema imports: messages can name the types of the schema's own file alone; give that file as the schema", chosen.MessageType())
		}
		indexes = wire.AppendMessageIndexes(nil, path)
	}
	byID := append(binary.BigEndian.AppendUint32([]byte{magic}, uint32(chosen.ID)), indexes...) //nolint:gosec // ids are positive
	switch f {
	case Confluent:
		return byID, nil, nil
	case SchemaHeader:
		if digits, err := hex.DecodeString(strings.ReplaceAll(chosen.GUID, "-", "")); err == nil && len(digits) == 16 {
			return nil, []sink.Header{{Name: header, Value: slices.Concat([]byte{1}, digits, indexes)}}, nil
		}
		return nil, []sink.Header{{Name: header, Value: byID}}, nil
	}
	return nil, nil, errorf(ConfigError, `framing must be "confluent", "schema_header" or "bare"`)
}

// roles are the columns of a frame that are not, or not only, fields of the value.
type roles struct{ key, partition, timestamp, headers, tombstone string }

// metadataNames are those that listeners give columns that are no fields.
var metadataNames = []assemble.MetadataColumn{Offset, Partition, Topic, Timestamp, TimestampType, SchemaID, LeaderEpoch, Tombstone, Headers, Key}

// roles finds the columns by the options, or by the names that listeners give them.
func (o *SendOptions) roles(columns *arrow.Schema) roles {
	or := func(given string, usual MetadataColumn) string {
		if given == "" && columns.HasField(string(usual)) {
			return string(usual)
		}
		return given
	}
	return roles{key: or(o.Key.Column, Key), partition: or(o.Partition, Partition), timestamp: or(o.Timestamp, Timestamp), headers: or(o.Headers, Headers), tombstone: or(o.Tombstone, Tombstone)}
}

// values are the columns that are fields of the value: those that the schema names, and others that have no role and no name of a listener's metadata.
func (r roles) values(columns *arrow.Schema, named []arrow.Field) ([]arrow.Field, error) {
	var fields []arrow.Field
	seen := map[string]bool{}
	for _, f := range columns.Fields() {
		isNamed := slices.ContainsFunc(named, func(n arrow.Field) bool { return n.Name == f.Name })
		if !isNamed && (slices.Contains(metadataNames, MetadataColumn(f.Name)) || named != nil && r.has(f.Name)) {
			continue
		}
		if seen[f.Name] {
			return nil, errorf(ConfigError, "the frame has two columns of the name %q", f.Name)
		}
		seen[f.Name] = true
		fields = append(fields, f)
	}
	return fields, nil
}

func (r roles) has(name string) bool {
	return slices.Contains([]string{r.key, r.partition, r.timestamp, r.headers, r.tombstone}, name)
}

// only finds the one column of a name.
func only(columns *arrow.Schema, option, name string) (arrow.Field, error) {
	found, _ := columns.FieldsByName(name)
	if len(found) != 1 {
		return arrow.Field{}, dispatch.NotOne(option, name, columns)
	}
	return found[0], nil
}
