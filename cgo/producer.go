package main

// #define KAFARR_TYPES_ONLY
// #include "kafarr.h"
import "C"

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/format"
)

// producer is a Producer with its notices and tokens.
type producer struct {
	*kafarr.Producer
	notices *notices
	tokens  *tokens
	over    sync.Once
}

func (p *producer) asks() *tokens   { return p.tokens }
func (p *producer) tells() *notices { return p.notices }

// end ends every wait for a token, none of which will come any more.
func (p *producer) end() { p.over.Do(func() { close(p.tokens.over) }) }

// producerConfig is the JSON of producer_new.
type producerConfig struct {
	Servers        string            `json:"servers"`
	RegistryURL    string            `json:"registry_url"`
	Config         map[string]string `json:"config"`
	RegistryConfig map[string]string `json:"registry_config"`
	Environment    map[string]string `json:"environment"`
	OAuthToken     bool              `json:"oauth_token"`
	MemoryLimit    int64             `json:"memory_limit"`
	Limits         format.Limits     `json:"limits"`
	TransactionID  string            `json:"transactional_id"`
}

//export producer_new
func producer_new(config *C.char, n C.int64_t, handle *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		var c producerConfig
		if err := parse(config, n, &c); err != nil {
			return err
		}
		p := &producer{notices: &notices{}, tokens: newTokens()}
		cfg := kafarr.ProducerConfig{
			Cluster: kafarr.Cluster{Servers: c.Servers, Properties: c.Config}, Registry: kafarr.Registry{URL: c.RegistryURL, Properties: c.RegistryConfig}, Environment: c.Environment,
			MemoryLimit: c.MemoryLimit, Limits: c.Limits, Logger: slog.New(p.notices),
		}
		if c.TransactionID != "" {
			cfg.TransactionalID = c.TransactionID
		}
		if c.OAuthToken {
			cfg.Cluster.OAuthToken = p.tokens.ask
		}
		var err error
		if p.Producer, err = kafarr.OpenProducer(cfg); err != nil {
			return err
		}
		*handle = C.int64_t(newHandle(p))
		return nil
	})
}

// sent is the JSON of producer_send_start's result.
type sent struct {
	Report int64 `json:"report"`
	Rows   int   `json:"rows"`
	Failed bool  `json:"failed"`
}

//export producer_send_start
func producer_send_start(handle C.int64_t, options *C.char, n C.int64_t, schema *C.struct_ArrowSchema, arrays *C.struct_ArrowArray, count C.int64_t, op *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		// First of all: whatever is wrong with the rest, the frame is released once.
		frame, err := importFrame(schema, arrays, int(count))
		if err != nil {
			return err
		}
		send, err := sendOf(int64(handle), options, n)
		if err != nil {
			frame.release()
			return err
		}
		*op = C.int64_t(startCancelled(func(ctx context.Context) (string, error) {
			defer frame.release()
			report, failed := send(ctx, frame)
			if report == nil {
				return "", failed
			}
			// An error after rows were sent is in the report, too: as that of the rows that were not.
			text, err := json.Marshal(sent{newHandle(report), report.Rows(), failed != nil})
			return string(text), err
		}))
		return nil
	})
}

// sendOf is what sends a frame by a producer, or within its open transaction.
func sendOf(handle int64, text *C.char, n C.int64_t) (func(context.Context, *frameIn) (*kafarr.SendReport, error), error) {
	options, in, err := sendOptionsOf(text, n)
	if err != nil {
		return nil, err
	}
	if in.Transaction != 0 {
		t, err := get[*kafarr.Transaction](in.Transaction)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, f *frameIn) (*kafarr.SendReport, error) {
			return t.Send(ctx, options, f.batches...)
		}, nil
	}
	p, err := get[*producer](handle)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, f *frameIn) (*kafarr.SendReport, error) {
		return p.Send(ctx, options, f.batches...)
	}, nil
}

// target is the JSON of producer_target_start's result.
type target struct {
	Target      int64  `json:"target"`
	MessageType string `json:"message_type"`
	Schema      string `json:"schema"`
	ID          int    `json:"schema_id"`
	Subject     string `json:"subject"`
	Version     int    `json:"version"`
}

//export producer_target_start
func producer_target_start(handle C.int64_t, options *C.char, n C.int64_t, schema *C.struct_ArrowSchema, op *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		columns, err := importSchema(schema)
		if err != nil {
			return configError("the frame's columns cannot be taken over by Arrow's C data interface: %w", err)
		}
		p, err := get[*producer](int64(handle))
		if err != nil {
			return err
		}
		o, _, err := sendOptionsOf(options, n)
		if err != nil {
			return err
		}
		*op = C.int64_t(startCancelled(func(ctx context.Context) (string, error) {
			t, err := p.TargetSchema(ctx, o, columns)
			if err != nil {
				return "", err
			}
			text, err := json.Marshal(target{newHandle(t), t.MessageType, t.Text, t.ID, t.Subject, t.Version})
			return string(text), err
		}))
		return nil
	})
}

//export producer_target_columns
func producer_target_columns(handle C.int64_t, out *C.struct_ArrowSchema, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		t, err := take[*kafarr.TargetSchema](int64(handle))
		if err != nil {
			return err
		}
		return exportSchema(t.Columns, out)
	})
}

//export producer_flush_start
func producer_flush_start(handle C.int64_t, op *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		p, err := get[*producer](int64(handle))
		if err != nil {
			return err
		}
		*op = C.int64_t(startCancelled(func(ctx context.Context) (string, error) { return "", p.Flush(ctx) }))
		return nil
	})
}

//export producer_close_start
func producer_close_start(handle, timeoutMS C.int64_t, op *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		p, err := get[*producer](int64(handle))
		if err != nil {
			return err
		}
		*op = C.int64_t(startCancelled(func(ctx context.Context) (string, error) {
			if timeoutMS >= 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, milliseconds(timeoutMS))
				defer cancel()
			}
			defer p.end()
			return "", p.Close(ctx)
		}))
		return nil
	})
}

//export producer_free
func producer_free(handle C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		p, err := take[*producer](int64(handle))
		if err != nil {
			return err
		}
		spawn(func() {
			ended, cancel := context.WithCancel(context.Background())
			cancel()
			_ = p.Close(ended)
			p.end()
		}, func(error) {})
		return nil
	})
}

// reportOut is the JSON of a report.
type reportOut struct {
	Rows     int       `json:"rows"`
	Written  int       `json:"written"`
	Ranges   [][]any   `json:"ranges"`
	Failures []failure `json:"failures"`
	Message  string    `json:"message"`
}

type failure struct {
	Topic     string     `json:"topic"`
	Partition int32      `json:"partition"`
	State     string     `json:"state"`
	Rows      [][2]int64 `json:"rows"`
	Count     int        `json:"count"`
	Code      int        `json:"code"`
	Error     string     `json:"error"`
	Blamed    [][]any    `json:"blamed"`
}

func reportOf(r *kafarr.SendReport, complete bool) reportOut {
	out := reportOut{Rows: r.Rows(), Written: r.Written(), Ranges: [][]any{}, Failures: []failure{}}
	for _, s := range r.Ranges() {
		out.Ranges = append(out.Ranges, []any{s.Topic, s.Partition, s.First, s.Last, s.Rows})
	}
	for _, f := range r.Failures() {
		next := failure{Topic: f.Topic, Partition: f.Partition, State: f.State.String(), Rows: f.Rows, Count: f.Count, Blamed: [][]any{}}
		if f.Err != nil {
			next.Code, next.Error = codeOf(f.Err), shown(f.Err.Error())
		}
		for _, b := range f.Blamed {
			next.Blamed = append(next.Blamed, []any{b.Row, shown(b.Message)})
		}
		out.Failures = append(out.Failures, next)
	}
	if !complete {
		return out
	}
	if err := r.Err(); err != nil {
		out.Message = shown(err.Error())
	}
	return out
}

//export report_wait
func report_wait(handle, sliceMS C.int64_t, out **C.char, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		r, err := get[*kafarr.SendReport](int64(handle))
		if err != nil {
			return err
		}
		select {
		case <-r.Done():
			return giveJSON(out, reportOf(r, true))
		default:
		}
		if sliceMS > 0 {
			select {
			case <-r.Done():
				return giveJSON(out, reportOf(r, true))
			case <-time.After(milliseconds(sliceMS)):
			}
		}
		return errPending
	})
}

//export report_free
func report_free(handle C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		_, err := take[*kafarr.SendReport](int64(handle))
		return err
	})
}
