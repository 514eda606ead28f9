package protobuf

import (
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/descriptorpb"
)

// presence says how fields tell that they are absent.
type presence int

const (
	presenceExplicit presence = iota
	presenceImplicit
	presenceRequired
)

// features are what an edition calls so, as far as they matter for reading: proto2 and proto3 are two sets of them. All texts are checked to be UTF-8, whatever utf8_validation says.
type features struct {
	presence  presence
	closed    bool // enums
	packed    bool
	delimited bool
}

func featuresOf(f *descriptorpb.FileDescriptorProto) features {
	switch f.GetSyntax() {
	case "proto3":
		return features{presence: presenceImplicit, packed: true}
	case "editions":
		return features{packed: true}
	}
	return features{closed: true}
}

// with are the features with those that an element sets, in a descriptor or as options that nobody has interpreted.
func (f features) with(set *descriptorpb.FeatureSet, options []*descriptorpb.UninterpretedOption) features {
	if set != nil {
		f.set("field_presence", set.GetFieldPresence().String())
		f.set("enum_type", set.GetEnumType().String())
		f.set("repeated_field_encoding", set.GetRepeatedFieldEncoding().String())
		f.set("message_encoding", set.GetMessageEncoding().String())
	}
	for _, o := range options {
		name := o.GetName()
		if len(name) == 0 || name[0].GetNamePart() != "features" || name[0].GetIsExtension() {
			continue
		}
		if len(name) == 2 {
			f.set(name[1].GetNamePart(), o.GetIdentifierValue())
			continue
		}
		for _, e := range parseAggregate(o.GetAggregateValue()) {
			f.set(e.name, e.text)
		}
	}
	return f
}

// set sets one feature; what is unknown stays as it is.
func (f *features) set(name, value string) {
	switch name + "=" + value {
	case "field_presence=EXPLICIT":
		f.presence = presenceExplicit
	case "field_presence=IMPLICIT":
		f.presence = presenceImplicit
	case "field_presence=LEGACY_REQUIRED":
		f.presence = presenceRequired
	case "enum_type=OPEN", "enum_type=CLOSED":
		f.closed = value == "CLOSED"
	case "repeated_field_encoding=PACKED", "repeated_field_encoding=EXPANDED":
		f.packed = value == "PACKED"
	case "message_encoding=LENGTH_PREFIXED", "message_encoding=DELIMITED":
		f.delimited = value == "DELIMITED"
	}
}

// option returns the value of an option that nobody has interpreted.
func option(options []*descriptorpb.UninterpretedOption, name string) (string, bool) {
	for _, o := range options {
		if parts := o.GetName(); len(parts) == 1 && parts[0].GetNamePart() == name && !parts[0].GetIsExtension() {
			if o.StringValue != nil {
				return string(o.GetStringValue()), true
			}
			return o.GetIdentifierValue(), true
		}
	}
	return "", false
}

// meta is what confluent.field_meta says of a field.
type meta struct {
	tags   []string
	params map[string]string
}

// metaNumber is the number of confluent.field_meta, as an extension of a field's options.
const metaNumber = 1088

func metaOf(options *descriptorpb.FieldOptions) (m meta) {
	if options == nil {
		return m
	}
	for _, o := range options.GetUninterpretedOption() {
		name := o.GetName()
		if len(name) == 0 || !name[0].GetIsExtension() || strings.TrimPrefix(name[0].GetNamePart(), ".") != "confluent.field_meta" {
			continue
		}
		entries := parseAggregate(o.GetAggregateValue())
		if len(name) == 2 {
			entries = []aggregate{{name: name[1].GetNamePart(), text: string(o.GetStringValue()), inner: entries}}
		}
		for _, e := range entries {
			m.add(e)
		}
	}
	for raw := options.ProtoReflect().GetUnknown(); len(raw) > 0; {
		number, wire, n := protowire.ConsumeField(raw)
		if n < 0 {
			break
		}
		if number == metaNumber && wire == protowire.BytesType {
			_, _, start := protowire.ConsumeTag(raw)
			value, _ := protowire.ConsumeBytes(raw[start:])
			m.addBinary(value)
		}
		raw = raw[n:]
	}
	return m
}

func (m *meta) add(e aggregate) {
	switch e.name {
	case "tags":
		m.tags = append(m.tags, e.text)
	case "params":
		var key, value string
		for _, in := range e.inner {
			switch in.name {
			case "key":
				key = in.text
			case "value":
				value = in.text
			}
		}
		m.param(key, value)
	}
}

func (m *meta) param(key, value string) {
	if m.params == nil {
		m.params = map[string]string{}
	}
	m.params[key] = value
}

// addBinary reads confluent.Meta: params are field 2, tags 3.
func (m *meta) addBinary(raw []byte) {
	fields(raw, func(number protowire.Number, value []byte) {
		switch number {
		case 2:
			var entry [2]string
			fields(value, func(number protowire.Number, value []byte) {
				if number == 1 || number == 2 {
					entry[number-1] = string(value)
				}
			})
			m.param(entry[0], entry[1])
		case 3:
			m.tags = append(m.tags, string(value))
		}
	})
}

// fields calls a function for each text or message of a message.
func fields(raw []byte, each func(number protowire.Number, value []byte)) {
	for len(raw) > 0 {
		number, wire, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return
		}
		if raw = raw[n:]; wire == protowire.BytesType {
			value, n := protowire.ConsumeBytes(raw)
			if n < 0 {
				return
			}
			each(number, value)
			raw = raw[n:]
			continue
		}
		if n = protowire.ConsumeFieldValue(number, wire, raw); n < 0 {
			return
		}
		raw = raw[n:]
	}
}

// aggregate is a field of an option that was written as a message, { name: "text", name { inner } }. A list is a field for each of its items.
type aggregate struct {
	name  string
	text  string
	inner []aggregate
}

// parseAggregate reads Protobuf's text format, as far as options of interest are written in it. What it cannot read ends it.
func parseAggregate(text string) []aggregate {
	p := &aggregateParser{rest: text}
	return p.message(0)
}

type aggregateParser struct{ rest string }

// maxAggregateDepth bounds recursion.
const maxAggregateDepth = 32

// next takes the next token: a sign, a quoted text with its quote, or a word. Empty: the end.
func (p *aggregateParser) next() string {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	if p.rest == "" {
		return ""
	}
	n := 1
	switch c := p.rest[0]; c {
	case '{', '}', '[', ']', '<', '>', ':', ',', ';':
	case '"', '\'':
		for n < len(p.rest) && p.rest[n] != c {
			if p.rest[n] == '\\' {
				n++
			}
			n++
		}
		n = min(n+1, len(p.rest))
	default:
		if n = strings.IndexAny(p.rest, " \t\r\n{}[]<>:,;\"'"); n < 0 {
			n = len(p.rest)
		}
	}
	token := p.rest[:n]
	p.rest = p.rest[n:]
	return token
}

func (p *aggregateParser) message(depth int) (out []aggregate) {
	for {
		name := p.next()
		switch name {
		case ",", ";":
			continue
		case "", "}", ">", "]":
			return out
		}
		token := p.next()
		if token == ":" {
			token = p.next()
		}
		if token == "[" {
			for token = p.next(); token != "]" && token != ""; token = p.next() {
				if token != "," {
					out = append(out, p.value(name, token, depth))
				}
			}
			continue
		}
		if token == "" {
			return out
		}
		out = append(out, p.value(name, token, depth))
	}
}

func (p *aggregateParser) value(name, token string, depth int) aggregate {
	switch {
	case token == "{" || token == "<":
		if depth > maxAggregateDepth {
			p.rest = ""
			return aggregate{name: name}
		}
		return aggregate{name: name, inner: p.message(depth + 1)}
	case token[0] == '"' || token[0] == '\'':
		return aggregate{name: name, text: unquote(token)}
	}
	return aggregate{name: name, text: token}
}

// unquote takes off quotes, and the escapes of quotes and backslashes: tags and numbers have no others.
func unquote(token string) string {
	token = strings.TrimSuffix(token[1:], token[:1])
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\'`, `'`).Replace(token)
}
