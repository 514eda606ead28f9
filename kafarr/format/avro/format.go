package avro

import (
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// Format is Avro as a format.Format.
type Format struct{}

var (
	_ format.Format        = Format{}
	_ format.Fingerprinted = (*Schema)(nil)
)

// SchemaType implements format.Format.
func (Format) SchemaType() string { return "AVRO" }

// Parse implements format.Format.
func (Format) Parse(text string, references []format.Reference, limits format.Limits) (format.Schema, error) {
	texts := make([]string, len(references)) // types have their names within them
	for i, r := range references {
		texts[i] = r.Text
	}
	s, err := ParseWithin(limits, text, texts...)
	if err != nil {
		return nil, err // and no *Schema of nil, which is no nil of the interface
	}
	return s, nil
}

// Compile implements format.Format.
func (Format) Compile(writer format.Schema, options format.Options) (format.Plan, error) {
	p, err := Compile(writer.(*Schema), options) // a schema of another format is a bug of the caller
	if err != nil {
		return nil, err
	}
	return compiled{p}, nil
}

// Reads implements format.Schema.
func (s *Schema) Reads(writer format.Schema) bool {
	w, ok := writer.(*Schema)
	return ok && (s.TypeName() == w.TypeName() || w.Name != "" && slices.Contains(s.Aliases, w.Name))
}

// compiled is a Plan as a format.Plan.
type compiled struct{ *Plan }

func (p compiled) MessageType() string                { return p.Plan.MessageType }
func (p compiled) Fields() []arrow.Field              { return p.Plan.Fields }
func (p compiled) Shape() string                      { return p.Plan.Shape }
func (p compiled) Warnings() []string                 { return p.Ignored }
func (p compiled) Encrypted() []format.EncryptedValue { return p.Plan.Encrypted }
func (p compiled) DecryptedBy() []int                 { return p.Sealed }
func (p compiled) Size() int                          { return p.Bytes() + TextBytes(p.text) }
func (p compiled) ColumnsSize() int                   { return p.ColumnBytes() }
func (p compiled) AppenderSize() int                  { return p.BoundBytes() }

// Bind implements format.Plan.
func (p compiled) Bind(c *format.Columns) format.Appender { return p.Plan.Bind(c) }

// SetRowTimeout implements format.Appender.
func (a *Appender) SetRowTimeout(timeout time.Duration) { a.effort.SetRowTimeout(timeout) }

// SetContinue implements format.Appender.
func (a *Appender) SetContinue(mayContinue func() bool) { a.effort.SetContinue(mayContinue) }

// SetKeys implements format.Appender.
func (a *Appender) SetKeys(keys format.Keys) { a.keys = keys }

// NullPlan is Nothing as a format.Plan.
func NullPlan() format.Plan { return compiled{Nothing()} }

// UntypedPlan is Untyped as a format.Plan.
func UntypedPlan(t Type, nullable bool) format.Plan { return compiled{Untyped(t, nullable)} }
