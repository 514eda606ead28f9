package kafarr

import (
	"context"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/registry"
)

// DefaultSchemaPatience is Config.SchemaPatience's default.
const DefaultSchemaPatience = 5 * time.Minute

// DefaultSchemaBytes is Config.SchemaBytes' default: some hundred schemas of a hundred fields.
const DefaultSchemaBytes = 64 << 20

// schemaPart is the part of Config.MemoryLimit that compiled schemas may have at most, besides it.
const schemaPart = 4

// schemaBytes is what compiled schemas may take.
func (c *Config) schemaBytes() int {
	switch {
	case c.SchemaBytes != 0:
		return c.SchemaBytes
	case c.MemoryLimit != 0:
		return int(min(c.MemoryLimit/schemaPart, DefaultSchemaBytes))
	}
	return DefaultSchemaBytes
}

// resolvers makes what resolves the schemas of messages of this configuration. Look-ups end with ctx.
func (c *Config) resolvers(ctx context.Context, reg registry.Registry, log *logSink) (*schema.Resolvers, error) {
	r := &schema.Resolvers{Cache: schema.NewCache(c.schemaBytes())}
	var err error
	common := schema.Config{
		Rules: c.Rules, LocalSecret: c.LocalSecret, Registry: reg, RetryTimeout: c.SchemaPatience, WaitWithoutEnd: c.Errors == Raise,
		Shared: c.shared, Cache: r.Cache, Warn: log.warn,
	}
	options := format.Options{Unions: c.Unions, Recursion: c.Recursion, OutOfRange: c.OutOfRange, Limits: c.Limits}
	values := common
	values.Content, values.Framing, values.Given, values.NullsHaveSchemas = c.Value, c.Framing, c.Schemas, c.Tombstones == KeepTombstones
	values.Latest = c.latest
	for _, text := range c.Readers {
		values.Readers = append(values.Readers, registry.Schema{Text: text})
	}
	for _, m := range c.Metadata {
		values.Reserved = append(values.Reserved, schema.Reserved{Column: string(m.Column), Name: m.Name()})
	}
	values.Options = options
	values.Options.Columns, values.Options.Nullable, values.Options.Decrypt = c.Columns, c.Tombstones == KeepTombstones, c.Rules == DecryptRules
	if r.Values, err = schema.New(ctx, values); err != nil {
		return nil, wrap(err)
	}
	if !c.wants(Key) {
		return r, nil
	}
	keys := common
	keys.IsKey, keys.Content, keys.NullsHaveSchemas = true, c.Key, true
	if c.Framing.AsksRegistry() { // else keys are framed as Confluent does
		keys.Framing = c.Framing
	}
	keys.Options = options
	keys.Options.Whole, keys.Options.Nullable = true, true
	if r.Keys, err = schema.New(ctx, keys); err != nil {
		return nil, wrap(err)
	}
	return r, nil
}
