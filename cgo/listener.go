package main

// #define KAFARR_TYPES_ONLY
// #include "kafarr.h"
import "C"

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/format"
)

// listener is a Listener with its notices and tokens.
type listener struct {
	*kafarr.Listener
	notices *notices
	tokens  *tokens
	closed  atomic.Bool
}

// A listener is a teller and an asker.
func (l *listener) asks() *tokens   { return l.tokens }
func (l *listener) tells() *notices { return l.notices }

// end ends every wait for a token, none of which will come any more; it reports whether this is the first call.
func (l *listener) end() bool {
	first := !l.closed.Swap(true)
	if first {
		close(l.tokens.over)
	}
	return first
}

// readerConfig is what the JSON of listener_new and of scan_new have in common.
type readerConfig struct {
	Servers        string                     `json:"servers"`
	Topics         []string                   `json:"topics"`
	RegistryURL    string                     `json:"registry_url"`
	Config         map[string]string          `json:"config"`
	RegistryConfig map[string]string          `json:"registry_config"`
	Environment    map[string]string          `json:"environment"`
	Metadata       [][2]kafarr.MetadataColumn `json:"metadata"`
	Value          string                     `json:"value"`
	Key            string                     `json:"key"`
	Framing        string                     `json:"framing"`
	KeySchemas     [][3]string                `json:"key_schemas"`
	Schemas        [][3]string                `json:"schemas"` // topic, text and message type
	MessageType    string                     `json:"message_type"`
	Tombstones     string                     `json:"tombstones"`
	Mixed          string                     `json:"mixed"`
	Errors         string                     `json:"errors"`
	ReadyTimeoutMS int64                      `json:"ready_timeout_ms"`
	PatienceMS     int64                      `json:"schema_patience_ms"`
	ReaderSchemas  []string                   `json:"reader_schemas"`
	Start          []offsetIn                 `json:"start"`
	BatchBytes     int                        `json:"batch_bytes"`
	SchemaBytes    int                        `json:"schema_bytes"`
	OAuthToken     bool                       `json:"oauth_token"`
	MemoryLimit    int64                      `json:"memory_limit"`
	Rules          string                     `json:"rules"`
	LocalSecret    string                     `json:"rules_secret"`
	columnOptions
}

// listenerConfig is the JSON of listener_new.
type listenerConfig struct {
	readerConfig
	Group       string        `json:"group"`
	Assign      []partitionIn `json:"assign"`
	Acknowledge string        `json:"acknowledge"`
	DeadLetters string        `json:"dead_letter_topic"`
	OnAssign    bool          `json:"on_assign"`
	OnRevoke    bool          `json:"on_revoke"`
}

// parse reads a JSON text that came over the boundary.
func parse(text *C.char, n C.int64_t, into any) error {
	if err := json.Unmarshal(unsafe.Slice((*byte)(unsafe.Pointer(text)), int(n)), into); err != nil {
		return configError("the configuration is no valid JSON: %w", err)
	}
	return nil
}

// The words of options, each with what it stands for.
var (
	bodies   = map[string]kafarr.Content{"": kafarr.Usual, "avro": kafarr.Avro, "protobuf": kafarr.Protobuf, "jsonschema": kafarr.JSONSchema, "json": kafarr.JSON}
	contents = map[string]kafarr.Content{"": kafarr.Usual, "avro": kafarr.Avro, "protobuf": kafarr.Protobuf, "jsonschema": kafarr.JSONSchema, "json": kafarr.JSON,
		"bytes": kafarr.Bytes, "string": kafarr.String, "auto": kafarr.Auto}
	framings = map[string]kafarr.Framing{"": kafarr.Confluent, "confluent": kafarr.Confluent, "bare": kafarr.Bare,
		"single_object": kafarr.SingleObject, "schema_header": kafarr.SchemaHeader, "connect": kafarr.Connect, "apicurio": kafarr.Apicurio}
	tombstones     = map[string]kafarr.Tombstones{"": kafarr.SplitTombstones, "split": kafarr.SplitTombstones, "keep": kafarr.KeepTombstones, "skip": kafarr.SkipTombstones}
	mixes          = map[string]kafarr.Mixed{"": kafarr.SplitMixed, "split": kafarr.SplitMixed, "group": kafarr.GroupMixed}
	acknowledges   = map[string]kafarr.Acknowledge{"": kafarr.OnNextPoll, "next_poll": kafarr.OnNextPoll, "commit": kafarr.OnCommit}
	rules          = map[string]kafarr.Rules{"": kafarr.RaiseRules, "raise": kafarr.RaiseRules, "ignore": kafarr.IgnoreRules, "encrypt": kafarr.DecryptRules}
	unknownMembers = map[string]format.UnknownMembers{"": format.CountUnknown, "count": format.CountUnknown, "keep": format.KeepUnknown, "raise": format.RaiseUnknown}
	timestamps     = map[string]format.Timestamps{"": format.MicrosecondTimestamps, "us": format.MicrosecondTimestamps, "ns": format.NanosecondTimestamps}
	textFormats    = map[string]format.Formats{"": format.TypedFormats, "typed": format.TypedFormats, "string": format.TextFormats}
	enums          = map[string]format.Enums{"": format.NamedEnums, "names": format.NamedEnums, "numbers": format.NumberedEnums}
	errorModes     = map[string]kafarr.ErrorMode{"": kafarr.Raise, "raise": kafarr.Raise, "skip": kafarr.Skip, "collect": kafarr.Collect}
)

// choose looks an option's word up.
func choose[T any](option, word string, words map[string]T, to *T) error {
	v, ok := words[word]
	if !ok {
		known := slices.Sorted(maps.Keys(words))[1:] // without the empty one
		return configError("%s is %q: it must be one of %s", option, word, strings.Join(known, ", "))
	}
	*to = v
	return nil
}

// cluster is what the JSON says about brokers.
func (c *readerConfig) cluster(tokens *tokens) kafarr.Cluster {
	out := kafarr.Cluster{Servers: c.Servers, Properties: c.Config}
	if c.OAuthToken {
		out.OAuthToken = tokens.ask
	}
	return out
}

// registry is what the JSON says about the schema registry.
func (c *readerConfig) registry() kafarr.Registry {
	return kafarr.Registry{URL: c.RegistryURL, Properties: c.RegistryConfig}
}

// memory is what the JSON says about bounds.
func (c *readerConfig) memory() kafarr.Memory {
	return kafarr.Memory{BatchBytes: c.BatchBytes, SchemaBytes: c.SchemaBytes, Limit: c.MemoryLimit}
}

// messages is what the JSON says about messages.
func (c *readerConfig) messages() (m kafarr.Messages, err error) {
	if err := errors.Join(
		choose("value", c.Value, contents, &m.Value), choose("key", c.Key, contents, &m.Key), choose("framing", c.Framing, framings, &m.Framing),
		choose("tombstones", c.Tombstones, tombstones, &m.Tombstones), choose("mixed", c.Mixed, mixes, &m.Mixed),
		choose("errors", c.Errors, errorModes, &m.Errors), choose("rules", c.Rules, rules, &m.Rules),
	); err != nil {
		return m, err
	}
	for _, s := range c.Schemas {
		m.Schemas = append(m.Schemas, kafarr.GivenSchema{Topic: s[0], Text: s[1], MessageType: s[2]})
	}
	for _, s := range c.KeySchemas {
		m.KeySchemas = append(m.KeySchemas, kafarr.GivenSchema{Topic: s[0], Text: s[1], MessageType: s[2]})
	}
	m.Metadata = make([]kafarr.Metadata, len(c.Metadata))
	for i, of := range c.Metadata {
		m.Metadata[i] = kafarr.Metadata{Column: of[0], As: string(of[1])}
	}
	options, err := c.options()
	if err != nil {
		return m, err
	}
	m.Readers, m.Columns, m.Unions, m.Recursion = c.ReaderSchemas, options.Columns, options.Unions, options.Recursion
	m.OutOfRange, m.UnknownMembers, m.Limits, m.LocalSecret = options.OutOfRange, options.UnknownMembers, options.Limits, c.LocalSecret
	m.Timestamps, m.Enums, m.Formats, m.MessageType = options.Timestamps, options.Enums, options.Formats, c.MessageType
	m.SchemaPatience = time.Duration(c.PatienceMS) * time.Millisecond
	return m, nil
}

// config is what the JSON stands for.
func (c *listenerConfig) config(tokens *tokens, notices *notices) (cfg kafarr.Config, err error) {
	if err := choose("acknowledge", c.Acknowledge, acknowledges, &cfg.Acknowledge); err != nil {
		return cfg, err
	}
	if cfg.Messages, err = c.messages(); err != nil {
		return cfg, err
	}
	cfg.Cluster, cfg.Registry, cfg.Memory, cfg.Environment = c.cluster(tokens), c.registry(), c.memory(), c.Environment
	cfg.Group, cfg.Topics, cfg.Assign, cfg.Start, cfg.DeadLetterTopic = c.Group, c.Topics, partitionsIn(c.Assign), offsetsIn(c.Start), c.DeadLetters
	cfg.ReadyTimeout, cfg.Logger = time.Duration(c.ReadyTimeoutMS)*time.Millisecond, slog.New(notices)
	return cfg, nil
}

//export listener_new
func listener_new(config *C.char, n C.int64_t, handle *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		var c listenerConfig
		if err := parse(config, n, &c); err != nil {
			return err
		}
		l := &listener{notices: &notices{}, tokens: newTokens()}
		cfg, err := c.config(l.tokens, l.notices)
		if err != nil {
			return err
		}
		tellRebalances(&cfg, c.OnAssign, c.OnRevoke)
		l.Listener, err = kafarr.Open(cfg)
		if err != nil {
			return err
		}
		*handle = C.int64_t(newHandle(l))
		return nil
	})
}

//export listener_poll
func listener_poll(handle C.int64_t, begin C.int32_t, numMessages, maxTimeMS, sliceMS C.int64_t, out *C.struct_kafarr_batch, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		l, err := get[*listener](int64(handle))
		if err != nil {
			return err
		}
		b, done, err := l.PollSlice(begin != 0, int(numMessages), milliseconds(maxTimeMS), milliseconds(sliceMS))
		out.notices = C.int64_t(l.notices.count.Load())
		if _, waits := l.Rebalance(); waits {
			out.notices++
		}
		if l.Waiting() {
			out.waiting = 1
		}
		switch {
		case err != nil:
			return err
		case !done:
			return errPending
		}
		return handOver(b, out)
	})
}

// milliseconds is a duration; what would overflow is as good as for ever.
func milliseconds(n C.int64_t) time.Duration {
	const forever = 1 << 40 // 34 years
	return time.Duration(min(n, forever)) * time.Millisecond
}

// batchInfo is the JSON of kafarr_batch.info.
type batchInfo struct {
	ID          int64   `json:"id"`
	MessageType string  `json:"message_type"`
	Ranges      [][]any `json:"ranges"`
	Events      [][]any `json:"events"`
}

// handOver moves a batch over the boundary.
func handOver(b *kafarr.Batch, out *C.struct_kafarr_batch) error {
	defer b.Release()
	if b.Record == nil && b.Rejected == nil {
		return nil
	}
	info, err := json.Marshal(batchInfo{b.ID(), b.MessageType, rangesOut(b.Ranges), partitionEventsOut(b.Events)})
	if err != nil {
		return err
	}
	if b.Record != nil {
		if err := exportRecord(b.Record, &out.array, &out.schema); err != nil {
			return err
		}
		out.rows = C.int64_t(b.Record.NumRows())
	}
	if b.Rejected != nil {
		if err := exportRecord(b.Rejected, &out.rejected, &out.rejected_schema); err != nil {
			discard(&out.array, &out.schema)
			return err
		}
		out.rejected_rows = C.int64_t(b.Rejected.NumRows())
	}
	out.info = C.CString(string(info))
	return nil
}

func rangesOut(ranges []kafarr.Range) [][]any {
	out := make([][]any, len(ranges))
	for i, r := range ranges {
		out[i] = []any{r.Topic, r.Partition, r.First, r.Next, r.Rows}
	}
	return out
}

func partitionEventsOut(events []kafarr.Event) [][]any {
	out := make([][]any, len(events))
	for i, e := range events {
		out[i] = []any{e.Kind, e.Topic, e.Partition, e.Old, e.New}
	}
	return out
}

//export listener_events
func listener_events(handle C.int64_t, out **C.char, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		l, err := get[teller](int64(handle))
		if err != nil {
			return err
		}
		text, err := l.tells().take()
		if err == nil {
			*out = C.CString(text)
		}
		return err
	})
}

// rangeIn is a range as it comes back: [topic, partition, first, next].
type rangeIn struct{ kafarr.Range }

func (r *rangeIn) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, &[]any{&r.Topic, &r.Partition, &r.First, &r.Next})
}

// batchesIn are batches as they come back.
type batchesIn struct {
	IDs    []int64   `json:"ids"`
	Ranges []rangeIn `json:"ranges"`
}

func (b *batchesIn) ranges() []kafarr.Range {
	out := make([]kafarr.Range, len(b.Ranges))
	for i, r := range b.Ranges {
		out[i] = r.Range
	}
	return out
}

//export listener_commit_start
func listener_commit_start(handle C.int64_t, batches *C.char, n C.int64_t, op *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		l, err := get[*listener](int64(handle))
		if err != nil {
			return err
		}
		var in batchesIn
		if batches != nil {
			if err := parse(batches, n, &in); err != nil {
				return err
			}
		}
		all := batches == nil
		*op = C.int64_t(start(func() (string, error) { return "", l.CommitIDs(context.Background(), all, in.IDs, in.ranges()) }))
		return nil
	})
}

// listenerStats is the JSON of listener_stats.
type listenerStats struct {
	kafarr.Stats
	LogLinesDropped int64 `json:"log_lines_dropped"`
}

//export listener_stats
func listener_stats(handle C.int64_t, out **C.char, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		l, err := get[*listener](int64(handle))
		if err != nil {
			return err
		}
		return giveJSON(out, listenerStats{l.Stats(), l.notices.dropped.Load()})
	})
}

//export listener_schema
func listener_schema(handle C.int64_t, topic *C.char, n C.int64_t, isKey C.int32_t, out **C.char, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		l, err := get[*listener](int64(handle))
		if err != nil {
			return err
		}
		inferred := l.InferredSchema
		if isKey != 0 {
			inferred = l.InferredKeySchema
		}
		text, err := inferred(C.GoStringN(topic, C.int(n)))
		if err != nil {
			return err
		}
		return giveJSON(out, text)
	})
}

//export listener_close_start
func listener_close_start(handle C.int64_t, acknowledge C.int32_t, op *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		l, err := get[*listener](int64(handle))
		if err != nil {
			return err
		}
		l.end()
		end := l.Close
		if acknowledge == 0 {
			end = l.Abort
		}
		*op = C.int64_t(start(func() (string, error) { return "", end() }))
		return nil
	})
}

//export listener_free
func listener_free(handle C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		l, err := take[*listener](int64(handle))
		if err != nil {
			return err
		}
		if l.end() {
			spawn(func() { _ = l.Abort() }, func(error) {})
		}
		return nil
	})
}
