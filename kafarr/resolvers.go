package kafarr

import (
	"context"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/internal/clientlog"
	"github.com/pykafarr/pykafarr/kafarr/internal/scan"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// DefaultSchemaPatience is Messages.SchemaPatience's default.
const DefaultSchemaPatience = 5 * time.Minute

// schemaSources are what Resolvers need besides options.
type schemaSources struct {
	registry registry.Registry
	shared   *schema.Shared
	bytes    int          // the bound of compiled schemas
	planned  scan.Planned // the reader schemas of a scan that asked the registry for them; where schemas are inferred, those that it has inferred

	inference schema.Inference
	held      func(*source.Chunk) [][]source.Record // see schema.Config
}

// givenOf are schemas that a plan brings, of all messages that are read by it.
func givenOf(planned []registry.Schema) (out []schema.Given) {
	for _, s := range planned {
		out = append(out, schema.Given{Text: s.Text})
	}
	return out
}

// resolvers makes the Resolvers of these messages. Look-ups end with ctx.
func (m *Messages) resolvers(ctx context.Context, from schemaSources, log *clientlog.Log) (*schema.Resolvers, error) {
	r := &schema.Resolvers{Cache: schema.NewCache(from.bytes)}
	var err error
	common := schema.Config{
		Rules: m.Rules, LocalSecret: m.LocalSecret, Registry: from.registry, RetryTimeout: m.SchemaPatience, WaitWithoutEnd: m.Errors == Raise,
		Shared: from.shared, Cache: r.Cache, Warn: log.Warn, Note: log.Note,
	}
	options := format.Options{Unions: m.Unions, Recursion: m.Recursion, OutOfRange: m.OutOfRange, UnknownMembers: m.UnknownMembers, Formats: m.Formats, Timestamps: m.Timestamps, Enums: m.Enums, Limits: m.Limits}
	values := common
	values.Content, values.Framing, values.Given, values.MessageType = m.Value, m.Framing, m.Schemas, m.MessageType
	values.NullsHaveSchemas = m.Tombstones == KeepTombstones
	if m.infers() {
		values.Inference, values.Held = from.inference, from.held
		values.Given = givenOf(from.planned.Values)
	} else {
		values.Latest = from.planned.Values
	}
	for _, text := range m.Readers {
		values.Readers = append(values.Readers, registry.Schema{Text: text})
	}
	for _, of := range m.Metadata {
		values.Reserved = append(values.Reserved, schema.Reserved{Column: string(of.Column), Name: of.Name()})
	}
	values.Options = options
	values.Options.Columns, values.Options.Nullable, values.Options.Decrypt = m.Columns, m.Tombstones == KeepTombstones, m.Rules == DecryptRules
	if r.Values, err = schema.New(ctx, values); err != nil {
		return nil, wrap(err)
	}
	if !m.wants(Key) {
		return r, nil
	}
	keys := common
	keys.IsKey, keys.Content, keys.NullsHaveSchemas = true, m.Key, true
	keys.Framing, keys.Given = m.keyFraming(), m.KeySchemas
	if m.infersKeys() {
		keys.Inference, keys.Held, keys.Given = from.inference, from.held, givenOf(from.planned.Keys)
	}
	keys.Options = options
	keys.Options.Whole, keys.Options.Nullable = true, true
	if r.Keys, err = schema.New(ctx, keys); err != nil {
		return nil, wrap(err)
	}
	return r, nil
}
