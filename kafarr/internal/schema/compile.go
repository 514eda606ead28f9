package schema

import (
	"fmt"
	"slices"

	"github.com/pykafarr/pykafarr/kafarr/format/avro"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Compiled is a compiled schema of values or keys. It stays valid for who has it when the Resolver has dropped it.
type Compiled struct {
	Plan         *avro.Plan // nil: the schema cannot be used
	IsRegistered bool       // its schema is one of the registry
	Keyrings     *Keyrings  // what decrypts its values; nil: none are encrypted
	HasIdleRules bool       // its schema has rules of a data contract, which are not executed
	Err          *status.Error

	given   bool // needs no registry, and is kept for good
	size    int  // bytes, estimated
	used    int  // Cache.run of the last use
	dropped bool
}

// Dropped tells whether the Resolver has dropped it, and compiles the schema again when it is needed.
func (p *Compiled) Dropped() bool { return p.dropped }

func (p *Compiled) resolution() Resolution {
	if p.Err != nil {
		return Resolution{State: Unusable, Err: p.Err}
	}
	return Resolution{State: Ready, Plan: p}
}

// compiledBytes is what a Compiled takes besides what it holds.
const compiledBytes = 512

// Compile makes the plan of a schema that the registry has answered with. Its error is in Compiled.Err: it is remembered like a plan.
func (s *Resolver) Compile(schema registry.Schema) *Compiled {
	text := len(schema.Text)
	for _, r := range schema.References {
		text += len(r)
	}
	fail := func(err *status.Error) *Compiled {
		err.SchemaID = int64(schema.ID)
		return &Compiled{Err: err, IsRegistered: true, size: compiledBytes + len(err.Error())}
	}
	if !IsAvro(schema) {
		return fail(status.Errorf(status.SchemaError, "it is a %s schema; only AVRO is supported", schema.Type))
	}
	limits := s.cfg.Options.Limits
	parsed, err := avro.ParseWithin(limits, schema.Text, schema.References...)
	if err != nil {
		return fail(parseFault(err, limits, schema))
	}
	rules := schema.Contract.Encryption()
	if len(rules) > 0 {
		parsed.MarkEncrypted(len(rules), schema.Contract.Fields(rules))
	}
	p, e := s.compile(parsed)
	if e == nil && len(rules) > 0 {
		e = s.ciphertextFault(p.Plan, schema, rules)
	}
	if e != nil {
		return fail(e)
	}
	if len(p.Plan.Sealed) > 0 {
		p.Keyrings = newKeyrings(schema.Contract, rules)
	}
	p.IsRegistered = true
	p.HasIdleRules = schema.Contract != nil && (len(schema.Contract.Rules) > len(rules) || len(rules) > 0 && s.cfg.Rules != DecryptRules)
	p.size = compiledBytes + p.Plan.Bytes() + avro.TextBytes(text)
	return p
}

// CompileReader makes the plan of what is written with one of Readers.
func (s *Resolver) CompileReader(reader *avro.Schema) (*Compiled, *status.Error) {
	p, err := s.compile(reader)
	if err != nil {
		return nil, err
	}
	p.IsRegistered = true
	return p, nil
}

// compile makes the plan of a parsed schema.
func (s *Resolver) compile(writer *avro.Schema) (*Compiled, *status.Error) {
	options := s.cfg.Options
	if reader := s.readerOf(writer); reader != nil { // else it would be a nil within an interface
		options.Reader = reader
	}
	compiled, err := avro.Compile(writer, options)
	if err != nil {
		return nil, compileFault(err, writer, options)
	}
	for _, ignored := range compiled.Ignored {
		s.warnOnce("SCHEMA", compiled.MessageType+": "+ignored)
	}
	if s.cfg.IsKey {
		return &Compiled{Plan: compiled}, nil
	}
	return &Compiled{Plan: compiled}, s.clash(compiled)
}

// clash is the error of a field that has the name of a reserved column.
func (s *Resolver) clash(p *avro.Plan) *status.Error {
	for _, r := range s.cfg.Reserved {
		for _, f := range p.Fields {
			if f.Name == r.Name {
				e := status.Errorf(status.ConfigError, "the metadata column %q has the name of a field: rename it, as in metadata={%q: \"other_name\"}", f.Name, r.Column)
				e.Path, e.Option = f.Name, "metadata"
				return e
			}
		}
	}
	return nil
}

// ParseReader reads a schema that others are read as.
func ParseReader(schema registry.Schema, limits avro.Limits) (*avro.Schema, error) {
	s, err := avro.ParseWithin(limits, schema.Text, schema.References...)
	if err != nil {
		e := nameDuplicates(status.Wrap(err), err, schema)
		e.Err = fmt.Errorf("reader_schema: %w", e.Err)
		return nil, e
	}
	return s, nil
}

// CompileText makes the plan of a schema that is given as a text. reader is the schema to read it as; empty: its own.
func CompileText(text, reader string, options avro.Options) (*avro.Plan, *avro.Schema, error) {
	parsed, err := avro.ParseWithin(options.Limits, text)
	if err != nil {
		return nil, nil, parseFault(err, options.Limits, registry.Schema{Text: text})
	}
	if reader != "" {
		readAs, err := ParseReader(registry.Schema{Text: reader}, options.Limits)
		if err != nil {
			return nil, nil, err
		}
		options.Reader = readAs
	}
	p, err := avro.Compile(parsed, options)
	if err != nil {
		return nil, nil, compileFault(err, parsed, options)
	}
	return p, parsed, nil
}

// IsAvro tells whether a schema is one of Avro, which a registry may leave unsaid.
func IsAvro(s registry.Schema) bool { return s.Type == "" || s.Type == "AVRO" }

// readerOf returns the schema that a type is to be read as; nil: its own.
func (s *Resolver) readerOf(writer *avro.Schema) *avro.Schema {
	for _, r := range s.readers {
		if r.TypeName() == writer.TypeName() || slices.Contains(r.Aliases, writer.Name) && writer.Name != "" {
			s.cfg.Shared.Readers.used(r)
			return r
		}
	}
	if len(s.readers) > 0 {
		s.warnOfReaders(s.cfg.Shared.Readers.other(writer))
	}
	return nil
}
