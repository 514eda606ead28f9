package kafarr

import (
	"fmt"
	"slices"

	"github.com/pykafarr/pykafarr/kafarr/format/avro"
	"github.com/pykafarr/pykafarr/kafarr/registry"
)

// plan is a compiled schema of values or keys.
type plan struct {
	avro       *avro.Plan
	registered bool    // its schema is one of the registry
	sealed     *sealed // what decrypts its values; nil: none are encrypted
	ruled      bool    // its schema has rules of a data contract, which are not executed
	err        *Error  // the schema cannot be used, and never will

	given   bool // needs no registry, and is kept for good
	size    int  // bytes, estimated
	used    int  // kept.run of the last use
	dropped bool // from the listener's plans
}

// compile makes the plan of a schema that the registry has answered with.
func (l *Listener) compile(side *side, s registry.Schema) *plan {
	text := len(s.Text)
	for _, r := range s.References {
		text += len(r)
	}
	fail := func(err *Error) *plan {
		err.SchemaID = int64(s.ID)
		return &plan{err: err, size: planBytes + len(err.Error())}
	}
	if !isAvro(s) {
		return fail(errorf(SchemaError, "it is a %s schema; only AVRO is supported", s.Type))
	}
	parsed, err := avro.ParseWithin(l.cfg.Limits, s.Text, s.References...)
	if err != nil {
		return fail(parseFault(err, l.cfg.Limits, s))
	}
	rules := s.Contract.Encryption()
	if len(rules) > 0 {
		parsed.MarkEncrypted(len(rules), s.Contract.Fields(rules))
	}
	p, e := l.planFor(side, parsed)
	if e == nil && len(rules) > 0 {
		e = l.encrypted(side, p.avro, s, rules)
	}
	if e != nil {
		return fail(e)
	}
	if len(p.avro.Sealed) > 0 {
		p.sealed = newSealed(s.Contract, rules)
	}
	p.ruled = s.Contract != nil && (len(s.Contract.Rules) > len(rules) || len(rules) > 0 && l.cfg.Rules != DecryptRules)
	p.size = planBytes + p.avro.Bytes() + avro.TextBytes(text)
	return p
}

// planBytes is what a plan takes besides what it holds.
const planBytes = 512

// planFor makes the plan of a schema.
func (l *Listener) planFor(side *side, s *avro.Schema) (*plan, *Error) {
	options := avro.Options{Unions: l.cfg.Unions, Recursion: l.cfg.Recursion, OutOfRange: l.cfg.OutOfRange, Limits: l.cfg.Limits}
	if side.isKey {
		options.Whole, options.Nullable = true, true
	} else {
		if reader := l.readerOf(s); reader != nil { // else it would be a nil within an interface
			options.Reader = reader
		}
		options.Columns, options.Nullable = l.cfg.Columns, l.cfg.Tombstones == KeepTombstones
		options.Decrypt = l.cfg.Rules == DecryptRules
	}
	compiled, err := avro.Compile(s, options)
	if err != nil {
		return nil, compileFault(err, s, options)
	}
	for _, ignored := range compiled.Ignored {
		if text := compiled.MessageType + ": " + ignored; l.cfg.warned.first(text) {
			l.log.warn("SCHEMA", text)
		}
	}
	if side.isKey {
		return &plan{avro: compiled}, nil
	}
	return &plan{avro: compiled}, l.clash(compiled)
}

// clash is the error of a field that has the name of a metadata column.
func (l *Listener) clash(p *avro.Plan) *Error {
	for _, m := range l.cfg.Metadata {
		for _, f := range p.Fields {
			if f.Name == m.name() {
				e := errorf(ConfigError, "the metadata column %q has the name of a field: rename it, as in metadata={%q: \"other_name\"}", f.Name, m.Column)
				e.Path, e.Option = f.Name, "metadata"
				return e
			}
		}
	}
	return nil
}

// given makes the plans that need no registry: of what has no schema, and of the schemas that Config.Schemas gives.
func (l *Listener) given() error {
	keep := l.cfg.Tombstones == KeepTombstones
	l.values.plans[refNull] = &plan{avro: avro.Nothing(), given: true}
	l.values.plans[refUntyped] = &plan{avro: untypedPlan(l.cfg.Value, keep), given: true}
	if l.values.content != Avro {
		if err := l.clash(l.values.plans[refUntyped].avro); err != nil {
			return err
		}
	}
	if l.keys != nil {
		null, err := l.planFor(l.keys, &avro.Schema{Type: avro.Null})
		if err != nil {
			return err
		}
		null.given = true
		l.keys.plans[refNull] = null
		l.keys.plans[refUntyped] = &plan{avro: untypedPlan(l.cfg.Key, true), given: true}
	}
	for i, g := range l.cfg.Schemas {
		p, err := l.givenPlan(g)
		if err != nil {
			e := wrap(err)
			e.Err = fmt.Errorf("schema %d of those given: %w", i, e.Err)
			return e
		}
		p.plan.given = true
		l.values.plans[l.values.number(p.name)] = p.plan
	}
	return nil
}

func untypedPlan(c Content, nullable bool) *avro.Plan {
	if c == String {
		return avro.Untyped(avro.String, nullable)
	}
	return avro.Untyped(avro.Bytes, nullable)
}

type namedPlan struct {
	plan *plan
	name any
}

func (l *Listener) givenPlan(g GivenSchema) (namedPlan, error) {
	s, err := avro.ParseWithin(l.cfg.Limits, g.Text)
	if err != nil {
		return namedPlan{}, err
	}
	p, e := l.planFor(l.values, s)
	if e != nil {
		return namedPlan{}, e
	}
	if l.cfg.Framing == SingleObject {
		return namedPlan{p, s.Fingerprint()}, nil
	}
	return namedPlan{p, g.Topic}, nil
}

// parseReader reads a schema that others are read as.
func parseReader(schema registry.Schema, limits avro.Limits) (*avro.Schema, error) {
	s, err := avro.ParseWithin(limits, schema.Text, schema.References...)
	if err != nil {
		e := tellTwice(wrap(err), err, schema)
		e.Err = fmt.Errorf("reader_schema: %w", e.Err)
		return nil, e
	}
	return s, nil
}

// readerOf returns the schema that a type is to be read as; nil: its own.
func (l *Listener) readerOf(writer *avro.Schema) *avro.Schema {
	for _, r := range l.readers {
		if r.TypeName() == writer.TypeName() || slices.Contains(r.Aliases, writer.Name) && writer.Name != "" {
			l.readerUse.used(r)
			return r
		}
	}
	if len(l.readers) > 0 {
		l.tellReaders(l.readerUse.other(writer))
	}
	return nil
}
