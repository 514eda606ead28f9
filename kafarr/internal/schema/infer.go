package schema

import (
	"fmt"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/json"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Messages that name no schema, and for whose topic none was given, are read by one that is inferred of a topic's first messages. It is inferred once and kept for good, like one that was
// given: columns never follow from a later message.

// Inference says whether schemas are inferred that are not given.
type Inference int

const (
	// NotInferred: they have to be given.
	NotInferred Inference = iota
	// InferredHere: of the first messages that a Resolver is asked for.
	InferredHere
	// InferredBefore: before any message was read, and they are among those given. Where one is missing, there was no message to infer it from.
	InferredBefore
)

// What a schema is inferred of. Larger messages are passed over: the time and memory of a guess are those of its bytes.
const (
	SampleMessages = 1000
	SampleBytes    = 4 << 20
)

// CanInfer tells whether schemas of a content can be inferred.
func (c Content) CanInfer() bool {
	f := c.named()
	if f == nil {
		return false
	}
	_, can := f.Format.(format.Inferring)
	return can
}

// InferText infers the text of a schema of messages of a topic, whose name it takes.
func InferText(c Content, topic string, bodies []format.Body) (string, error) {
	return c.named().Format.(format.Inferring).Infer(topic, bodies)
}

// NothingToInfer is the error of a topic whose messages give no schema; why says it.
func NothingToInfer(topic string, isKey bool, why string) *status.Error {
	what, option := "", schemaOption(isKey)
	if isKey {
		what = "the keys of "
	}
	return ofOption(option, status.Errorf(status.ConfigError, "no schema could be inferred for %stopic %s: %s (give it: %s=)", what, topic, why, option))
}

// schemaOption is the option that gives a schema.
func schemaOption(isKey bool) string {
	if isKey {
		return "key_schema"
	}
	return "schema"
}

func ofOption(option string, e *status.Error) *status.Error {
	e.Option = option
	return e
}

// noJSON is where the messages of a partition were last found to give no schema, each of them: what lies before next is not looked at again as a whole.
type noJSON struct {
	source.TopicPartition
	first, next int64
}

// infer makes the plan of a topic whose schema was not given, of the records from one on.
func (s *Resolver) infer(chunk *source.Chunk, rest []source.Record, ref Ref) Resolution {
	unusable := func(e *status.Error) Resolution { return Resolution{State: Unusable, Err: e} }
	topic, place := chunk.Topic, chunk.TopicPartition()
	if s.cfg.Inference == InferredBefore {
		return unusable(NothingToInfer(topic, s.cfg.IsKey, "when the reading was planned, none of the messages that were looked at had one"))
	}
	if n := s.noJSON; n.TopicPartition == place && n.first <= rest[0].Offset && rest[0].Offset < n.next {
		return unusable(s.noSchemaOf(topic, &rest[0]))
	}
	bodies, next := s.sample(chunk, rest)
	if len(bodies) == 0 {
		return unusable(NothingToInfer(topic, s.cfg.IsKey, fmt.Sprintf("its first messages have more than %d bytes each", SampleBytes)))
	}
	text, err := InferText(s.cfg.Content, topic, bodies)
	if err != nil {
		s.noJSON = noJSON{place, rest[0].Offset, next}
		return unusable(s.noSchemaOf(topic, &rest[0]))
	}
	if err := s.compileOne(Given{Topic: topic, Text: text}); err != nil {
		e := status.Wrap(err)
		e.Err = fmt.Errorf("the schema that was inferred of the first %d messages of topic %s: %w", len(bodies), topic, e.Err)
		if e.Option == "" {
			e = ofOption(schemaOption(s.cfg.IsKey), e)
		}
		return unusable(e)
	}
	s.noJSON = noJSON{}
	s.inferred[topic] = text
	s.cfg.Note("SCHEMA", fmt.Sprintf("topic %s: its %s was inferred of %d messages, and stays as it is; %[2]s= reads the topic by the same one from now on: %[4]s", topic, schemaOption(s.cfg.IsKey), len(bodies), cut(text)))
	return s.plans[ref].of(topic).resolution()
}

// warnOfEnvelopes tells of a schema that was inferred of envelopes of Connect, which have a better one in themselves.
func (s *Resolver) warnOfEnvelopes(inferred format.Schema) {
	if of, ok := inferred.(*json.Schema); !ok || !of.LooksLikeEnvelope() {
		return
	}
	what, option := "messages", `framing="connect"`
	if s.cfg.IsKey {
		what, option = "keys", `framing="connect", without key_schema=,`
	}
	s.warnOnce("SCHEMA", fmt.Sprintf(`the %s from which a schema was inferred have the members "schema" and "payload" and no others, as Kafka Connect's envelopes have: %s reads the payload alone, with the types that its schema says`, what, option))
}

// cut cuts a schema's text for the log.
func cut(text string) string {
	const most = 2000
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

// noSchemaOf is the error of a record that gives no schema.
func (s *Resolver) noSchemaOf(topic string, r *source.Record) *status.Error {
	data, n := s.payload(r)
	_, err := InferText(s.cfg.Content, topic, []format.Body{{Data: data, Len: int(n)}})
	return status.Errorf(status.DecodeError, "no schema could be inferred of it, nor of the messages after it: %w", err)
}

// sample takes the bodies that a schema is inferred of: of the records from one on, and of others that are held of the topic. next is the offset after the last of the former that was looked at.
func (s *Resolver) sample(chunk *source.Chunk, rest []source.Record) (bodies []format.Body, next int64) {
	runs := [][]source.Record{rest}
	if s.cfg.Held != nil {
		runs = append(runs, s.cfg.Held(chunk)...)
	}
	bytes, of := SampleBytes, max(SampleMessages/len(runs), 1)
	for i, records := range runs[:min(len(runs), SampleMessages)] {
		taken := 0
		for j := range records {
			data, n := s.payload(&records[j])
			if i == 0 {
				next = records[j].Offset + 1
			}
			if n < 0 || int(n) > bytes {
				continue
			}
			bytes -= int(n)
			bodies = append(bodies, format.Body{Data: data, Len: int(n)})
			if taken++; taken == of {
				break
			}
		}
	}
	return bodies, next
}

// Inferred is the text of the schema that was inferred for a topic; empty: none was.
func (s *Resolver) Inferred(topic string) string { return s.inferred[topic] }

// isInferred tells whether a Ref stands for a topic whose schema is inferred.
func (s *Resolver) isInferred(ref Ref) bool {
	if s.cfg.Inference == NotInferred {
		return false
	}
	_, isTopic := s.names[ref].(string)
	return isTopic
}

// Infers tells whether schemas are inferred that are not given.
func (s *Resolver) Infers() bool { return s.cfg.Inference != NotInferred }
