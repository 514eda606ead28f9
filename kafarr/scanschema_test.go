package kafarr_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source/replay"
)

// subjects is a registry that knows subjects, and counts what it is asked.
type subjects struct {
	registry.Static
	latest  map[string]registry.Schema
	byID    *atomic.Int64
	failing *atomic.Int64 // so many answers are failures first
}

func (s subjects) SchemaByID(ctx context.Context, id int) (registry.Schema, error) {
	s.byID.Add(1)
	return s.Static.SchemaByID(ctx, id)
}

func (s subjects) LatestSchema(_ context.Context, subject string) (registry.Schema, error) {
	if s.failing.Add(-1) >= 0 {
		return registry.Schema{}, &registry.Error{Kind: registry.Unavailable, ID: -1, Err: errors.New("down")}
	}
	found, ok := s.latest[subject]
	if !ok {
		return found, &registry.Error{Kind: registry.NotFound, ID: -1, Err: errors.New("no such subject")}
	}
	return found, nil
}

const (
	first  = `{"type":"record","name":"x.V","fields":[{"name":"n","type":"int"}]}`
	second = `{"type":"record","name":"x.V","fields":[{"name":"n","type":"long"},{"name":"more","type":["null","x.Other"],"default":null}]}`
	mine   = `{"type":"record","name":"x.V","fields":[{"name":"y","type":"int","default":1},{"name":"n","type":"double"}]}`
	other  = `{"type":"enum","name":"x.Other","symbols":["A","B"]}`
)

// versions is a registry with two versions of x.V, as 1 and 2. The newer refers to another schema.
func versions() subjects {
	newest := registry.Schema{ID: 2, Type: "AVRO", Text: second, References: []registry.Referenced{{Name: "x.Other", Text: other, Source: "subject other, version 1"}}}
	return subjects{
		registry.Static{1: {Text: first}, 2: newest, 3: {Text: `"string"`}}, map[string]registry.Schema{"t-value": newest}, new(atomic.Int64), new(atomic.Int64),
	}
}

func framed(partition int32, offset int64, id uint32, body ...byte) replay.Message {
	return replay.Message{Topic: "t", Partition: partition, Offset: offset, Timestamp: 1000, Value: append(binary.BigEndian.AppendUint32([]byte{0}, id), body...)}
}

func TestAPlansSchemaIsThatOfItsBatches(t *testing.T) {
	both := []replay.Message{framed(0, 0, 2, 2, 0), framed(0, 1, 2, 4, 0), framed(1, 0, 2, 6, 2, 0)}
	for i := range both {
		both[i].Key = append([]byte{0, 0, 0, 0, 3}, 2, 'k')
	}
	metadata := func(columns ...kafarr.MetadataColumn) (out []kafarr.Metadata) {
		for _, c := range columns {
			out = append(out, kafarr.Metadata{Column: c})
		}
		return out
	}
	for name, change := range map[string]func(*kafarr.ScanConfig, *subjects){
		"of the newest version": func(*kafarr.ScanConfig, *subjects) {},
		"of the last message":   func(_ *kafarr.ScanConfig, s *subjects) { delete(s.latest, "t-value") },
		"read as the latest":    func(c *kafarr.ScanConfig, _ *subjects) { c.ReadLatest = true },
		"with tombstones kept":  func(c *kafarr.ScanConfig, _ *subjects) { c.Messages.Tombstones = kafarr.KeepTombstones },
		"of one column":         func(c *kafarr.ScanConfig, _ *subjects) { c.Messages.Columns = []string{"n"} },
		"of a schema of the user": func(c *kafarr.ScanConfig, _ *subjects) {
			c.Messages.Readers = []string{mine}
		},
		"of bytes":             func(c *kafarr.ScanConfig, _ *subjects) { c.Messages.Value = kafarr.Bytes },
		"with avro keys, seen": func(c *kafarr.ScanConfig, _ *subjects) { c.Messages.Key = kafarr.Avro },
		"with avro keys, by name": func(c *kafarr.ScanConfig, s *subjects) {
			c.Messages.Key, s.latest["t-key"] = kafarr.Avro, registry.Schema{Text: `"string"`}
		},
		"with headers and so on": func(c *kafarr.ScanConfig, _ *subjects) {
			c.Messages.Metadata = metadata(kafarr.Headers, kafarr.Timestamp, kafarr.SchemaID, kafarr.Topic)
		},
		"after the registry fails": func(_ *kafarr.ScanConfig, s *subjects) { s.failing.Store(2) },
	} {
		t.Run(name, func(t *testing.T) {
			known := versions()
			cfg := scanConfig(t, &cluster{messages: both})
			cfg.Registry.Client, cfg.Messages.Metadata = known, metadata(kafarr.Offset, kafarr.Key)
			change(&cfg, &known)
			p := plan(t, cfg)
			found, err := p.Schemas(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(found) != 1 {
				t.Fatalf("%d types, want 1", len(found))
			}
			rows := int64(0)
			for b, err := range p.Read().All(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				if b.MessageType != found[0].MessageType || !b.Record.Schema().Equal(found[0].Schema) {
					t.Errorf("the plan says %s %v, a batch is %s %v", found[0].MessageType, found[0].Schema, b.MessageType, b.Record.Schema())
				}
				rows += b.NumRows()
				b.Release()
			}
			if rows != 3 {
				t.Errorf("%d rows, want 3", rows)
			}
		})
	}
}

func TestAPlanKnowsNoTypeOfATopicWithoutMessages(t *testing.T) {
	known := versions()
	delete(known.latest, "t-value")
	cfg := scanConfig(t, &cluster{})
	cfg.Registry.Client = known
	found, err := plan(t, cfg).Schemas(t.Context())
	if err != nil || len(found) != 0 {
		t.Errorf("got %v and %v", found, err)
	}
}

func TestAllVersionsAreReadAsTheLatest(t *testing.T) {
	messages := []replay.Message{framed(0, 0, 1, 2), framed(0, 1, 2, 4, 2, 2), framed(0, 2, 1, 6)}
	for name, forget := range map[string]bool{"registered": false, "of the last message": true} {
		t.Run(name, func(t *testing.T) {
			known := versions()
			if forget {
				delete(known.latest, "t-value")
				messages[1], messages[2] = framed(0, 1, 1, 6), framed(0, 2, 2, 4, 2, 2)
			}
			cfg := scanConfig(t, &cluster{messages: messages})
			cfg.Registry.Client, cfg.ReadLatest = known, true
			p := plan(t, cfg)
			if len(p.Latest) != 1 || p.Latest[0].Text != second || len(p.Latest[0].References) != 1 || p.Latest[0].References[0].Text != other {
				t.Fatalf("latest: %v", p.Latest)
			}
			s := p.Read()
			defer s.Close()
			b, ok, err := s.Next(t.Context())
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			defer b.Release()
			if b.NumRows() != 3 || b.Record.Schema().Field(0).Type.Name() != "int64" || b.Record.ColumnName(1) != "more" {
				t.Errorf("%d rows of %v", b.NumRows(), b.Record.Schema())
			}
		})
	}
}

func TestABadLastMessageThatIsSkippedDoesNotKeepAScanFromBeingPlanned(t *testing.T) {
	for name, last := range map[string]replay.Message{
		"not framed":           {Topic: "t", Offset: 1, Timestamp: 1000, Value: []byte("zz")},
		"of an unknown schema": framed(0, 1, 77, 2),
	} {
		inBubble(t, name, func(t *testing.T) {
			known := versions()
			delete(known.latest, "t-value")
			cfg := scanConfig(t, &cluster{messages: []replay.Message{framed(0, 0, 1, 2), last}})
			cfg.Registry.Client, cfg.ReadLatest = known, true
			if _, err := kafarr.Scan(t.Context(), cfg); err == nil {
				t.Error("where messages are to be good, it is planned all the same")
			}
			cfg.Messages.Errors = kafarr.Skip
			rows := int64(0)
			for b, err := range plan(t, cfg).Read().All(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				rows += b.NumRows()
				b.Release()
			}
			if rows != 1 {
				t.Errorf("%d rows, want the good one", rows)
			}
		})
	}
}

func TestASubjectOfAnotherKindIsRefused(t *testing.T) {
	known := versions()
	known.latest["t-value"] = registry.Schema{ID: 9, Type: "PROTOBUF", Text: "message V {}"}
	cfg := scanConfig(t, &cluster{messages: []replay.Message{framed(0, 0, 1, 2)}})
	cfg.Registry.Client, cfg.ReadLatest = known, true
	_, err := kafarr.Scan(t.Context(), cfg)
	wantCode(t, err, kafarr.ConfigError, `subject t-value: its schema is of type PROTOBUF: set value="protobuf"`)
}

func TestASubjectWhoseMessagesAreLeftOutDoesNotKeepAScanFromBeingPlannedOrRead(t *testing.T) {
	for name, unusable := range map[string]registry.Schema{
		"of another format": {ID: 9, Type: "XSD", Text: `<schema/>`},
		"invalid":           {ID: 9, Type: "AVRO", Text: `{"type":"unheard of"}`},
		"that recurs":       {ID: 9, Text: `{"type":"record","name":"x.R","fields":[{"name":"r","type":["null","x.R"]}]}`},
	} {
		for way, errors := range map[string]kafarr.ErrorMode{"skip": kafarr.Skip, "collect": kafarr.Collect} {
			for _, latest := range []bool{false, true} {
				for _, registered := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s, %s, latest %v, registered %v", name, way, latest, registered), func(t *testing.T) {
						known := versions()
						delete(known.latest, "t-value")
						known.Static[9] = unusable
						if registered {
							known.latest["t-value"] = unusable
						}
						cfg := scanConfig(t, &cluster{messages: []replay.Message{framed(0, 0, 9, 2), framed(0, 1, 9, 2)}})
						cfg.Registry.Client, cfg.Messages.Errors, cfg.ReadLatest = known, errors, latest
						p := plan(t, cfg)
						if _, err := p.Schemas(t.Context()); err != nil {
							t.Error(err)
						}
						for b, err := range p.Read().All(t.Context()) {
							if err != nil {
								t.Fatal(err)
							}
							if b.NumRows() > 0 {
								t.Errorf("%d rows", b.NumRows())
							}
							b.Release()
						}
					})
				}
			}
		}
	}
}

func TestKeysOfAnotherTypeThanAnotherTopicsAreNamedAsTheCause(t *testing.T) {
	known := versions()
	value := known.latest["t-value"]
	known.latest["u-value"], known.latest["t-key"], known.latest["u-key"] = value, registry.Schema{Text: `"string"`}, registry.Schema{Text: `"long"`}
	cfg := scanConfig(t, &cluster{topics: map[string]int32{"t": 1, "u": 1}})
	cfg.Topics, cfg.Registry.Client, cfg.Messages.Key = []string{"t", "u"}, known, kafarr.Avro
	cfg.Messages.Metadata = []kafarr.Metadata{{Column: kafarr.Key, As: "k"}}
	_, err := plan(t, cfg).Schemas(t.Context())
	wantCode(t, err, kafarr.SchemaError, `topic u: its x.V has other columns than that of another topic: its keys are of another type: read each topic by itself, or with key="bytes"`)
}

func TestPlanningEndsWhenTheRegistryStaysAway(t *testing.T) {
	known := versions()
	known.failing.Store(1 << 40)
	cfg := scanConfig(t, &cluster{messages: []replay.Message{framed(0, 0, 1, 2)}})
	cfg.Registry.Client, cfg.ReadLatest, cfg.Timeout = known, true, 300*time.Millisecond
	_, err := kafarr.Scan(t.Context(), cfg)
	wantCode(t, err, kafarr.RegistryError, "down")
}

func TestTheRowsOfAPartitionHaveAMeanSize(t *testing.T) {
	messages := logged(0, 0, 4000)
	p := plan(t, scanConfig(t, &cluster{messages: messages}))
	got, err := p.RowBytes(t.Context())
	if err != nil || len(got) != 3 || got[0] != 6 || got[1] != 0 {
		t.Errorf("got %v and %v", got, err)
	}
}

// stalled is a registry that has subjects, and never answers for an id.
type stalled struct{ subjects }

func (stalled) SchemaByID(ctx context.Context, _ int) (registry.Schema, error) {
	<-ctx.Done()
	return registry.Schema{}, ctx.Err()
}

func TestARegistryThatStallsIsARegistryErrorWithinTheTimeout(t *testing.T) {
	known := versions()
	delete(known.latest, "t-value")
	cfg := scanConfig(t, &cluster{messages: []replay.Message{framed(0, 0, 1, 2)}})
	cfg.Registry.Client, cfg.Timeout = stalled{known}, 300*time.Millisecond
	p := plan(t, cfg)
	_, err := p.Schemas(t.Context())
	e := wantCode(t, err, kafarr.RegistryError, "the schema registry has not answered within")
	if e.Topic != "t" || e.Offset != 0 || e.SchemaID != 1 {
		t.Errorf("%+v", e)
	}
	places, err := readAll(t, p.Read())
	wantCode(t, err, kafarr.RegistryError, "t[0]@0: schema 1: the schema registry has not answered within")
	if len(places) > 0 {
		t.Errorf("%v", places)
	}
}
