package main

// #define KAFARR_TYPES_ONLY
// #include "kafarr.h"
import "C"

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// scan is a scan's configuration, with its notices and tokens, and its stream once it is read.
type scan struct {
	cfg     kafarr.ScanConfig
	plan    scanPlan
	notices *notices
	tokens  *tokens
	ctx     context.Context // ends with the scan
	cancel  context.CancelFunc
	over    sync.Once

	mu      sync.Mutex
	schemas []kafarr.TypeSchema // as scan_schemas_start found them
	stream  *kafarr.Stream      // nil until scan_read
}

func (s *scan) asks() *tokens   { return s.tokens }
func (s *scan) tells() *notices { return s.notices }

// end ends every wait for a token, none of which will come any more.
func (s *scan) end() {
	s.over.Do(func() {
		s.cancel()
		close(s.tokens.over)
	})
}

// scanPlan is a plan's data.
type scanPlan struct {
	Partitions []rangeOfScan `json:"partitions"`
	Latest     []schemaText  `json:"latest_schemas"`
	TopicIDs   topicIDs      `json:"topic_ids"`
	LogEnds    []logEnd      `json:"log_ends"`
}

// logEnd is [topic, partition, offset].
type logEnd struct{ source.Position }

func (e *logEnd) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, &[]any{&e.Topic, &e.Partition, &e.Offset})
}

// MarshalJSON implements json.Marshaler.
func (e logEnd) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{e.Topic, e.Partition, e.Offset})
}

// rangeOfScan is [topic, partition, start, end].
type rangeOfScan struct{ kafarr.ScanRange }

func (r *rangeOfScan) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, &[]any{&r.Topic, &r.Partition, &r.Start, &r.End})
}

// MarshalJSON implements json.Marshaler.
func (r rangeOfScan) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{r.Topic, r.Partition, r.Start, r.End})
}

// topicIDs are ids by topic, as UUIDs without dashes.
type topicIDs map[string][16]byte

func (t *topicIDs) UnmarshalJSON(text []byte) error {
	var in map[string]string
	if err := json.Unmarshal(text, &in); err != nil {
		return err
	}
	*t = topicIDs{}
	for topic, digits := range in {
		id, err := hex.DecodeString(digits)
		if err != nil || len(id) != 16 {
			return configError("topic_ids: %q is no id of a topic", digits)
		}
		(*t)[topic] = [16]byte(id)
	}
	return nil
}

// MarshalJSON implements json.Marshaler.
func (t topicIDs) MarshalJSON() ([]byte, error) {
	out := map[string]string{}
	for topic, id := range t {
		out[topic] = hex.EncodeToString(id[:])
	}
	return json.Marshal(out)
}

// schemaText is what a topic is read as: a schema with those that it refers to.
type schemaText struct {
	Topic      string           `json:"topic"`
	OfKeys     bool             `json:"of_keys"`
	Type       string           `json:"type"`
	Schema     string           `json:"schema"`
	References []referencedText `json:"references"`
}

// referencedText is a schema that another one refers to.
type referencedText struct {
	Name   string `json:"name"`
	Text   string `json:"text"`
	Source string `json:"source"`
}

// schemaTextOf is what goes into a plan's data.
func schemaTextOf(l kafarr.LatestSchema) schemaText {
	out := schemaText{Topic: l.Topic, OfKeys: l.IsKey, Type: l.Type, Schema: l.Text, References: make([]referencedText, len(l.References))}
	for i, r := range l.References {
		out.References[i] = referencedText(r)
	}
	return out
}

// latest is what came as a plan's data.
func (s schemaText) latest() kafarr.LatestSchema {
	out := registry.Schema{Type: s.Type, Text: s.Schema}
	for _, r := range s.References {
		out.References = append(out.References, registry.Referenced(r))
	}
	return kafarr.LatestSchema{Topic: s.Topic, IsKey: s.OfKeys, Schema: out}
}

// scanConfig is the JSON of scan_new.
type scanConfig struct {
	readerConfig
	End          []offsetIn `json:"end"`
	ReadLatest   bool       `json:"read_latest"`
	BatchRows    int        `json:"num_messages"`
	AllowPartial bool       `json:"allow_partial"`
	scanPlan
}

//export scan_new
func scan_new(config *C.char, n C.int64_t, handle *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		var c scanConfig
		if err := parse(config, n, &c); err != nil {
			return err
		}
		s := &scan{plan: c.scanPlan, notices: &notices{}, tokens: newTokens()}
		messages, err := c.messages()
		if err != nil {
			return err
		}
		s.cfg = kafarr.ScanConfig{
			Cluster: c.cluster(s.tokens), Topics: c.Topics, Start: offsetsIn(c.Start), End: offsetsIn(c.End),
			Registry: c.registry(), Messages: messages, Memory: c.memory(), Environment: c.Environment,
			Timeout: time.Duration(c.ReadyTimeoutMS) * time.Millisecond, ReadLatest: c.ReadLatest, BatchRows: c.BatchRows, AllowPartial: c.AllowPartial,
			TopicIDs: c.TopicIDs, Logger: slog.New(s.notices),
		}
		if _, err := s.made(); err != nil {
			return err
		}
		s.ctx, s.cancel = context.WithCancel(context.Background())
		*handle = C.int64_t(newHandle(s))
		return nil
	})
}

// made is the plan of the data that came.
func (s *scan) made() (*kafarr.Plan, error) {
	ranges := make([]kafarr.ScanRange, len(s.plan.Partitions))
	for i, r := range s.plan.Partitions {
		ranges[i] = r.ScanRange
	}
	latest := make([]kafarr.LatestSchema, len(s.plan.Latest))
	for i, l := range s.plan.Latest {
		latest[i] = l.latest()
	}
	return kafarr.PlanOf(s.cfg, ranges, latest)
}

// ask starts an operation of a handle's scan.
func ask(handle C.int64_t, op *C.int64_t, e *C.struct_kafarr_error, question func(*scan) (string, error)) C.int32_t {
	return guard(e, func() error {
		s, err := get[*scan](int64(handle))
		if err != nil {
			return err
		}
		*op = C.int64_t(start(func() (string, error) { return question(s) }))
		return nil
	})
}

//export scan_plan_start
func scan_plan_start(handle C.int64_t, op *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return ask(handle, op, e, func(s *scan) (string, error) {
		p, err := kafarr.Scan(s.ctx, s.cfg)
		if err != nil {
			return "", err
		}
		out := scanPlan{Partitions: []rangeOfScan{}, Latest: []schemaText{}, TopicIDs: p.TopicIDs(), LogEnds: []logEnd{}}
		for _, r := range p.Partitions {
			out.Partitions = append(out.Partitions, rangeOfScan{r})
		}
		for _, e := range p.LogEnds {
			out.LogEnds = append(out.LogEnds, logEnd{e})
		}
		for _, l := range p.Latest {
			out.Latest = append(out.Latest, schemaTextOf(l))
		}
		text, err := json.Marshal(out)
		return string(text), err
	})
}

//export scan_schemas_start
func scan_schemas_start(handle C.int64_t, op *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return ask(handle, op, e, func(s *scan) (string, error) {
		p, err := s.made()
		if err != nil {
			return "", err
		}
		found, err := p.Schemas(s.ctx)
		if err != nil {
			return "", err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.schemas = found
		return "", nil
	})
}

//export scan_sizes_start
func scan_sizes_start(handle C.int64_t, op *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return ask(handle, op, e, func(s *scan) (string, error) {
		p, err := s.made()
		if err != nil {
			return "", err
		}
		found, err := p.RowBytes(s.ctx)
		if err != nil {
			return "", err
		}
		text, err := json.Marshal(found)
		return string(text), err
	})
}

//export scan_schema
func scan_schema(handle, index C.int64_t, out *C.struct_kafarr_batch, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		s, err := get[*scan](int64(handle))
		if err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if int(index) >= len(s.schemas) {
			return nil
		}
		next := s.schemas[index]
		info, err := json.Marshal(map[string]string{"message_type": next.MessageType})
		if err != nil {
			return err
		}
		if err := exportSchema(next.Schema, &out.schema); err != nil {
			return err
		}
		out.info = C.CString(string(info))
		return nil
	})
}

//export scan_read
func scan_read(handle C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		s, err := get[*scan](int64(handle))
		if err != nil {
			return err
		}
		p, err := s.made()
		if err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.stream != nil {
			return coded(kafarr.StateError, "this scan is read already")
		}
		s.stream = p.Read()
		return nil
	})
}

// reading is the stream of a handle.
func reading(handle C.int64_t) (*scan, *kafarr.Stream, error) {
	s, err := get[*scan](int64(handle))
	if err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stream == nil {
		return nil, nil, coded(kafarr.StateError, "this scan is not being read")
	}
	return s, s.stream, nil
}

//export scan_next
func scan_next(handle, sliceMS C.int64_t, out *C.struct_kafarr_batch, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		s, stream, err := reading(handle)
		if err != nil {
			return err
		}
		b, done, err := stream.NextSlice(milliseconds(sliceMS))
		out.notices = C.int64_t(s.notices.count.Load())
		switch {
		case err != nil:
			return err
		case !done:
			return errPending
		case b == nil: // the end
			return nil
		}
		return handOver(b, out)
	})
}

//export scan_report
func scan_report(handle C.int64_t, out **C.char, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		_, stream, err := reading(handle)
		if err != nil {
			return err
		}
		report := [][]any{}
		for _, c := range stream.Report() {
			report = append(report, []any{c.Topic, c.Partition, c.Start, c.End, c.First, c.Next, c.Rows, c.Aborted, c.Control, c.Tombstones, c.Rejected, c.Skipped, c.OutOfRange, c.UnknownEnums, c.UnknownMembers, c.RulesNotRun, c.Deleted, c.Ended})
		}
		return giveJSON(out, report)
	})
}

// close ends the reading and waits for it.
func (s *scan) close() {
	s.end()
	s.mu.Lock()
	stream := s.stream
	s.mu.Unlock()
	if stream != nil {
		stream.Close()
	}
}

//export scan_close_start
func scan_close_start(handle C.int64_t, op *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		s, err := get[*scan](int64(handle))
		if err != nil {
			return err
		}
		*op = C.int64_t(start(func() (string, error) {
			s.close()
			return "", nil
		}))
		return nil
	})
}

//export scan_free
func scan_free(handle C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		s, err := take[*scan](int64(handle))
		if err != nil {
			return err
		}
		spawn(s.close, func(error) {})
		return nil
	})
}
