package main

// #define KAFARR_TYPES_ONLY
// #include "kafarr.h"
import "C"

import (
	"errors"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/sink"
)

// sendIn is the JSON of producer_send_start.
type sendIn struct {
	MessageType string      `json:"message_type"`
	Value       string      `json:"value"`
	Topic       string      `json:"topic"`
	Schema      schemaIn    `json:"schema"`
	Framing     string      `json:"framing"`
	Key         keyIn       `json:"key"`
	Partition   string      `json:"partition"`
	Timestamp   string      `json:"timestamp"`
	Headers     string      `json:"headers"`
	Constant    [][2][]byte `json:"constant_headers"`
	Tombstone   string      `json:"tombstone"`
	Partitioner string      `json:"partitioner"`
	Extra       string      `json:"extra"`
	Missing     string      `json:"missing"`
	FirstRow    int64       `json:"first_row"`
	CheckOnly   bool        `json:"check_only"`
	Transaction int64       `json:"transaction"`
}

// schemaIn is a schema choice.
type schemaIn struct {
	Text        string               `json:"text"`
	MessageType string               `json:"message_type"`
	References  []registry.Reference `json:"references"`
	Derive      bool                 `json:"derive"`
	Enums       map[string][]string  `json:"enums"`
	ID          int                  `json:"id"`
	Subject     string               `json:"subject"`
	Version     int                  `json:"version"`
	Strategy    string               `json:"strategy"`
	Register    bool                 `json:"register"`
}

// keyIn is a key choice.
type keyIn struct {
	Column string   `json:"column"`
	Format string   `json:"format"`
	Schema schemaIn `json:"key_schema"`
}

var (
	sendFramings = map[string]kafarr.Framing{"": kafarr.Confluent, "confluent": kafarr.Confluent, "schema_header": kafarr.SchemaHeader, "bare": kafarr.Bare}
	keyFormats   = map[string]kafarr.Content{"": kafarr.Usual, "avro": kafarr.Avro, "jsonschema": kafarr.JSONSchema, "protobuf": kafarr.Protobuf, "bytes": kafarr.Bytes, "string": kafarr.String}
	valueFormats = map[string]kafarr.Content{"": kafarr.Usual, "avro": kafarr.Avro, "jsonschema": kafarr.JSONSchema, "protobuf": kafarr.Protobuf, "json": kafarr.JSON}
	strategies   = map[string]kafarr.SubjectStrategy{"": kafarr.TopicSubject, "topic": kafarr.TopicSubject, "record": kafarr.RecordSubject, "topic_record": kafarr.TopicRecordSubject}
	extras       = map[string]format.ExtraColumns{"": format.IgnoreExtra, "ignore": format.IgnoreExtra, "error": format.RaiseExtra}
	missings     = map[string]format.MissingColumns{"": format.RaiseMissing, "error": format.RaiseMissing, "default": format.DefaultMissing}
)

func (s *schemaIn) choice() (kafarr.SchemaChoice, error) {
	c := kafarr.SchemaChoice{
		Definition: registry.Definition{Text: s.Text, References: s.References}, Derive: s.Derive, Enums: s.Enums, ID: s.ID, Subject: s.Subject, Version: s.Version, Register: s.Register, MessageType: s.MessageType,
	}
	return c, choose("subject", s.Strategy, strategies, &c.Strategy)
}

// sendOptionsOf reads the JSON of producer_send_start.
func sendOptionsOf(text *C.char, n C.int64_t) (kafarr.SendOptions, *sendIn, error) {
	in := &sendIn{}
	if err := parse(text, n, in); err != nil {
		return kafarr.SendOptions{}, nil, err
	}
	o := kafarr.SendOptions{
		MessageType: in.MessageType, Topic: in.Topic, Partition: in.Partition, Timestamp: in.Timestamp, Headers: in.Headers, Tombstone: in.Tombstone,
		Partitioner: in.Partitioner, FirstRow: in.FirstRow, CheckOnly: in.CheckOnly,
	}
	for _, h := range in.Constant {
		o.Constant = append(o.Constant, sink.Header{Name: string(h[0]), Value: h[1]})
	}
	var failed [2]error
	o.Schema, failed[0] = in.Schema.choice()
	o.Key.Schema, failed[1] = in.Key.Schema.choice()
	o.Key.Column = in.Key.Column
	return o, in, errors.Join(
		failed[0], failed[1], choose("framing", in.Framing, sendFramings, &o.Framing), choose("key", in.Key.Format, keyFormats, &o.Key.Format),
		choose("value", in.Value, valueFormats, &o.Value), choose("extra", in.Extra, extras, &o.Extra), choose("missing", in.Missing, missings, &o.Missing))
}
