package avro

import (
	"crypto/sha256"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"
	"github.com/pykafarr/pykafarr/kafarr/format"
)

// Plan is a schema compiled: what to do with the bytes of a body, in order, and the columns that come of it.
type Plan struct {
	// MessageType is the full name of the top-level type.
	MessageType string
	// Fields are the Arrow fields of the columns.
	Fields []arrow.Field
	// Shape is equal for plans whose columns are the same in every respect, so that rows of both may share a batch.
	Shape string

	top     []*layout
	columns int // of all levels
	text    int // of the writer's schema
	maxRows int
	limits  format.Limits
	steps   []step
	nulls   bool // NullOutOfRange
	// Ignored says of each field whose logical type is not valid on its type what is wrong with it: the type beneath is read.
	Ignored []string
	// Encrypted are the values that the plan reads and that were encrypted when they were written, see Schema.MarkEncrypted.
	Encrypted []format.EncryptedValue
	// Sealed are the rules whose values the plan decrypts, with Options.Decrypt: Appender.Keys gives the keys. Those values are not among Encrypted.
	Sealed []int
}

// opcode says how a step's value is read and appended.
type opcode uint8

const (
	opNull opcode = iota // an Arrow null, without reading anything
	opBoolean
	opInt
	opLong
	opFloat
	opDouble
	opString
	opBytes
	opFixed
	opEnum // from here on the loop calls a function of the type's file
	opTimeMillis
	opTimeMicros
	opDecimalBytes
	opDecimalFixed
	opDecimalText
	opDecimalFixedText
	opBigDecimal
	opDuration
	opIntToLong
	opIntToFloat
	opIntToDouble
	opLongToFloat
	opLongToDouble
	opFloatToDouble
	opRecord // a struct begins; its fields follow
	opRecordEnd
	opArray    // the steps up to end are one item
	opBranches // a union index chooses one of the ranges of steps up to end
	opMember   // a branch's value is complete: the other members are null
	opNullUnion
	opDefault // the steps up to end read the default's bytes
	opSkip
	opJSON
	opSealed // an encrypted text or bytes
	opRest   // all that is left of the body
)

// notNullable is a step's null branch when its value is no union with null.
const notNullable = -1

// noColumn is the column of a step that has none.
const noColumn = -1

// step is one thing to do. A body is read by the steps in order; a step with others below it has them up to end.
type step struct {
	code   opcode
	null   int8 // the union branch that is null: 0, 1 or notNullable
	column int
	size   int // bytes, symbols, digits, a member's index, or the least size of an item
	more   int // what else a type needs to know
	most   int // opArray: items that fit into its column
	work   int // what it costs beside itself, in steps (weigh)
	end    int // the step after this one and those below it
	path   string

	schema     *Schema   // opJSON: the writer's; opEnum with a table, opDecimalText: the reader's
	skipped    []*Schema // opSkip: the writer's
	table      []int     // opEnum: reader's codes by writer's; opBranches: first steps by branch, -1 where nothing reads it; of others: the rules that encrypted the value
	body       []byte    // opDefault
	unreadable []string  // opBranches: why nothing reads a branch
}

// Compile makes the plan that reads bodies written with a schema.
func Compile(writer *Schema, options format.Options) (*Plan, error) {
	reader, _ := options.Reader.(*Schema)
	if reader == nil {
		reader = writer
	}
	var err error
	if options.Limits, err = options.Limits.Resolved(); err != nil {
		return nil, schemaErrorf("", "%v", err)
	}
	reader = reader.only()
	l := &layouter{options: &options}
	p := &Plan{MessageType: reader.TypeName(), limits: options.Limits, nulls: options.OutOfRange == format.NullOutOfRange}
	selected := format.SelectionOf(options.Columns)
	fields := reader.Type == Record && !options.Whole
	if fields {
		p.top, err = l.fields(reader, "", selected)
	} else {
		var value *layout
		value, err = l.of(reader, "value", "", selected)
		p.top = []*layout{value}
	}
	if err != nil {
		return nil, err
	}
	if options.Nullable {
		for _, k := range p.top {
			k.field.Nullable = true
		}
	}
	p.columns, p.text, p.Ignored = number(p.top, 0), writer.text, l.ignored
	c := &compiler{limits: options.Limits, unseal: options.Decrypt}
	if fields {
		err = c.topLevel(writer, reader, p.top)
	} else {
		err = c.value(writer, p.top[0], "")
	}
	if err != nil {
		return nil, err
	}
	p.steps = c.steps
	p.Encrypted, p.Sealed = encryptedValues(p.steps), sealedRules(p.steps)
	all := make([]*layout, p.columns)
	list(p.top, all)
	weigh(p.steps, all)
	p.finish()
	return p, nil
}

// finish says what the columns look like.
func (p *Plan) finish() {
	p.Fields = arrowFields(p.top)
	p.maxRows = fitting(p.top)
	shape := sha256.New() // as text it would be as long as the schema, or longer
	shape.Write([]byte(p.MessageType))
	for _, k := range p.top {
		k.write(shape)
	}
	p.Shape = string(shape.Sum(nil))
}

// Untyped is the plan of bodies that are no Avro: each is a text or bytes as it stands, in a column `value`. t is String or Bytes, and the message type.
func Untyped(t Type, nullable bool) *Plan {
	s := &Schema{Type: t}
	leaf := baseTypes[t](s)
	top := &layout{
		field: arrow.Field{Name: "value", Type: leaf.dtype, Nullable: nullable}, schema: s, code: leaf.code,
		build: func([]column.Column) column.Column { return leaf.make() },
	}
	p := &Plan{MessageType: t.String(), top: []*layout{top}, columns: 1, limits: format.DefaultLimits}
	p.steps = []step{{code: opRest, null: notNullable, column: 0, size: int(t), end: 1}}
	p.finish()
	return p
}

// Nothing is the plan of bodies that are null: rows of no columns, of the message type "null".
func Nothing() *Plan {
	p := &Plan{MessageType: Null.String(), limits: format.DefaultLimits}
	p.finish()
	return p
}
