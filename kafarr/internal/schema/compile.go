package schema

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Compiled is a compiled schema of values or keys. It stays valid for who has it when the Resolver has dropped it.
type Compiled struct {
	Plan         format.Plan // nil: the schema cannot be used
	IsRegistered bool        // its schema is one of the registry
	Keyrings     *Keyrings   // what decrypts its values; nil: none are encrypted
	HasIdleRules bool        // its schema has rules of a data contract, which are not executed
	Err          *status.Error

	// HasOthers tells that the schema has several types, of which this is the first, so that messages may be of another one.
	HasOthers bool

	hasPaths bool     // instead of a plan: message indexes, which were not read, say which of its types it is
	unnamed  *unnamed // instead of a plan: the topics' names are the names of its type
	given    bool     // needs no registry, and is kept for good
	size     int      // bytes, estimated
	used     int      // Cache.run of the last use
	dropped  bool
}

// Dropped tells whether the Resolver has dropped it, and compiles the schema again when it is needed.
func (p *Compiled) Dropped() bool { return p.dropped }

func (p *Compiled) resolution() Resolution {
	switch {
	case p.Err != nil:
		return Resolution{State: Unusable, Err: p.Err}
	case p.hasPaths:
		return Resolution{State: Reframe}
	}
	return Resolution{State: Ready, Plan: p}
}

// compiledBytes is what a Compiled takes besides what it holds.
const compiledBytes = 512

// Compile makes the plan of a schema that the registry has answered with, or of its first type, for the messages of a topic. Its error is in Compiled.Err.
func (s *Resolver) Compile(schema registry.Schema, topic string) *Compiled {
	return s.compileType(schema, FirstType).of(topic)
}

// compileType makes the plan of a Ref, of which the registry has answered with the schema. Its error is remembered like a plan.
func (s *Resolver) compileType(schema registry.Schema, ref Ref) *Compiled {
	fail := func(err *status.Error) *Compiled {
		err.SchemaID = int64(schema.ID)
		return &Compiled{Err: err, IsRegistered: true, size: compiledBytes + len(err.Error())}
	}
	if e := s.cfg.Content.Fits(schema, s.cfg.IsKey); e != nil {
		return fail(e)
	}
	f, e := ofRegistry(schema)
	switch {
	case e != nil:
		return fail(e)
	case f.hasPaths && s.cfg.Framing == Apicurio:
		return fail(ApicurioFault(s.cfg.IsKey))
	case f.hasPaths && ref.path() == 0:
		return &Compiled{hasPaths: true, size: compiledBytes}
	}
	limits := s.cfg.Options.Limits
	parsed, err := f.Parse(schema.Text, references(schema), limits)
	if err != nil {
		return fail(parseFault(f, err, limits, schema))
	}
	rules := schema.Contract.Encryption()
	if len(rules) > 0 {
		parsed.MarkEncrypted(len(rules), schema.Contract.Fields(rules))
	}
	others := s.cfg.MessageType == "" && hasSecond(parsed)
	if parsed, e = s.typeOf(parsed, ref); e != nil {
		return fail(e)
	}
	return s.perTopic(parsed, compiledBytes+len(schema.Text), func(parsed format.Schema) *Compiled {
		p, e := s.compile(f.Format, parsed)
		if e == nil && len(rules) > 0 {
			e = s.ciphertextFault(p.Plan, schema, rules)
		}
		if e != nil {
			return fail(e)
		}
		if len(p.Plan.DecryptedBy()) > 0 {
			p.Keyrings = newKeyrings(schema.Contract, rules)
		}
		p.IsRegistered, p.HasOthers = true, others
		p.HasIdleRules = schema.Contract != nil && (len(schema.Contract.Rules) > len(rules) || len(rules) > 0 && s.cfg.Rules != DecryptRules)
		p.size = compiledBytes + p.Plan.Size()
		return p
	})
}

// CompileReader makes the plan of what is written in a topic with one of Readers.
func (s *Resolver) CompileReader(reader Reader, topic string) (*Compiled, *status.Error) {
	schema, err := s.typeOf(reader.schema, FirstType)
	if err != nil {
		return nil, err
	}
	schema = orNamed(schema, topic)
	p, err := s.compile(reader.format, schema)
	if err != nil {
		return nil, err
	}
	p.IsRegistered, p.HasOthers = true, s.cfg.MessageType == "" && hasSecond(reader.schema)
	return p, nil
}

// compile makes the plan of a parsed schema.
func (s *Resolver) compile(f format.Format, writer format.Schema) (*Compiled, *status.Error) {
	options := s.cfg.Options
	options.Reader = s.readerOf(writer)
	plan, err := f.Compile(writer, options)
	if err != nil {
		return nil, compileFault(f, err, writer, options)
	}
	for _, warning := range plan.Warnings() {
		s.warnOnce("SCHEMA", plan.MessageType()+": "+warning)
	}
	if s.cfg.IsKey {
		return &Compiled{Plan: plan}, nil
	}
	return &Compiled{Plan: plan}, s.clash(plan)
}

// clash is the error of a field that has the name of a reserved column.
func (s *Resolver) clash(p format.Plan) *status.Error {
	for _, r := range s.cfg.Reserved {
		for _, f := range p.Fields() {
			if f.Name == r.Name {
				e := status.Errorf(status.ConfigError, "the metadata column %q has the name of a field: rename it, as in metadata={%q: \"other_name\"}", f.Name, r.Column)
				e.Path, e.Option = f.Name, "metadata"
				return e
			}
		}
	}
	return nil
}

// Reader is a schema that others are read as.
type Reader struct {
	format format.Format
	schema format.Schema
}

// reads returns the schema that the values of a writer's type are read as; nil: the Reader is not for them.
func (r Reader) reads(writer format.Schema) format.Schema {
	if r.schema.Reads(writer) {
		return r.schema
	}
	if file, ok := r.schema.(format.Indexed); ok {
		if found, err := file.Named(writer.TypeName()); err == nil && found.Reads(writer) {
			return found
		}
	}
	return nil
}

// parseReader reads a schema that others are read as.
func parseReader(f format.Format, schema registry.Schema, limits format.Limits) (Reader, error) {
	s, err := f.Parse(schema.Text, references(schema), limits)
	if err != nil {
		e := nameDuplicates(status.Wrap(err), err, schema)
		e.Err = fmt.Errorf("reader_schema: %w", e.Err)
		return Reader{}, e
	}
	return Reader{f, s}, nil
}

// CompileText makes the plan of a schema that is given as a text. reader is the schema to read it as; empty: its own. messageType names one of its types; empty: it has one.
func CompileText(content Content, text, reader, messageType string, options format.Options) (format.Plan, format.Schema, error) {
	f := content.given().Format
	return compileText(f, f, text, reader, messageType, options)
}

// CompileConnect does that with a schema of one of Connect's envelopes.
func CompileConnect(text, reader string, options format.Options) (format.Plan, format.Schema, error) {
	return compileText(connected{}, JSON.named().Format, text, reader, "", options)
}

func compileText(f, ofReader format.Format, text, reader, messageType string, options format.Options) (format.Plan, format.Schema, error) {
	parsed, err := f.Parse(text, nil, options.Limits)
	if err != nil {
		return nil, nil, parseFault(f, err, options.Limits, registry.Schema{Text: text})
	}
	parsed, fault := only(parsed, messageType)
	if fault != nil {
		return nil, nil, fault
	}
	if reader != "" {
		r, err := parseReader(ofReader, registry.Schema{Text: reader}, options.Limits)
		if err != nil {
			return nil, nil, err
		}
		if options.Reader = r.reads(parsed); options.Reader == nil {
			options.Reader = r.schema // whose error names both
		}
	}
	p, err := f.Compile(parsed, options)
	if err != nil {
		return nil, nil, compileFault(f, err, parsed, options)
	}
	return p, parsed, nil
}

// readerOf returns the schema that a type is to be read as; nil: its own.
func (s *Resolver) readerOf(writer format.Schema) format.Schema {
	for _, r := range s.readers {
		if as := r.reads(writer); as != nil {
			s.cfg.Shared.Readers.used(r.schema)
			return as
		}
	}
	if len(s.readers) > 0 {
		s.warnOfReaders(s.cfg.Shared.Readers.other(writer))
	}
	return nil
}

// Parse reads a schema by the format that the registry names.
func Parse(s registry.Schema, limits format.Limits) (format.Format, format.Schema, error) {
	f, fault := ofRegistry(s)
	if fault != nil {
		return nil, nil, fault
	}
	parsed, err := f.Parse(s.Text, references(s), limits)
	if err != nil {
		return nil, nil, parseFault(f, err, limits, s)
	}
	return f.Format, parsed, nil
}

// Columns are the columns that values of a schema are read as, with the defaults of a listener, where recursive fields are JSON.
func Columns(f format.Format, s format.Schema, limits format.Limits) ([]arrow.Field, error) {
	options := format.Options{Recursion: format.JSON, Limits: limits}
	plan, err := f.Compile(s, options)
	if err != nil {
		return nil, compileFault(f, err, s, options)
	}
	return plan.Fields(), nil
}
