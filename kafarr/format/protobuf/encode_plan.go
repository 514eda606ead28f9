package protobuf

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/frame"
	"github.com/pykafarr/pykafarr/kafarr/nearest"
)

// messageWriter writes the fields of a message, in the order of their numbers.
type messageWriter struct {
	fields []*fieldWriter
	oneofs [][]int // the fields of each oneof that has several columns, by their place in fields
}

// fieldWriter writes one field.
type fieldWriter struct {
	of     *field
	path   string
	column int    // among the columns of the batch, or the members of the struct
	tag    uint64 // of each value, or of a packed list
	form   writeForm
	value  *valueWriter
	key    *valueWriter // of a map
}

// writeForm says how often a field is written.
type writeForm uint8

const (
	writeSingle writeForm = iota
	writeList
	writePacked
	writeMap
)

// valueWriter writes the values of a column: those of a field, the items of a list, or the keys or values of a map.
type valueWriter struct {
	of      *field
	path    string
	code    writeCode
	wire    op             // of a number
	message *messageWriter // of writeStruct
	inner   *valueWriter   // of writeWrapper
	unit    arrow.TimeUnit // of writeTime
	scale   int32          // of a column of decimals
	depth   int            // of writeJSON
}

// writeCode says how a value is written.
type writeCode uint8

const (
	writeNothing writeCode = iota // a column of nulls
	writeBool
	writeNumber
	writeEnum
	writeText
	writeBytes
	writeStruct
	writeWrapper
	writeTime // a moment, a duration, a date or a time of day
	writeMade // what Bind makes of texts: JSON and decimals
)

// encodePlanner makes writers. It walks the schema and the Arrow types together, and ends where the types do, so that recursive messages end, too.
type encodePlanner struct {
	options *format.EncodeOptions
	open    []*message // the messages that the current value lies in
	nodes   int
}

// single makes the writer of one column that holds whole messages.
func (p *encodePlanner) single(m *message, columns []arrow.Field) (int, *valueWriter, []string, error) {
	name := p.options.Column
	if name == "" {
		name = "value"
	}
	at, twice := frame.Named(columns, name)
	switch {
	case twice:
		return 0, nil, nil, schemaError(short(name), "the frame has two columns of this name")
	case at < 0:
		return 0, nil, nil, schemaError("", "the frame has no column %q for values of the message %s%s", short(name), short(m.name), nearest.Hint(name, frame.Names(columns)))
	}
	var ignored []string
	var err error
	if p.options.Column == "" {
		if ignored, err = p.extra(columns, func(i int) bool { return i == at }, m, ""); err != nil {
			return 0, nil, nil, err
		}
	}
	root := &field{name: name, kind: kindMessage, typeName: m.name, message: m, oneof: -1, presence: true}
	w, err := p.value(root, columns[at].Type, short(name))
	return at, w, ignored, err
}

// message makes the writers of a message's fields, and lists the columns that it does not name.
func (p *encodePlanner) message(m *message, columns []arrow.Field, path string) (*messageWriter, []string, error) {
	p.open = append(p.open, m)
	defer func() { p.open = p.open[:len(p.open)-1] }()
	if len(p.open) > p.options.Limits.SchemaDepth {
		return nil, nil, schemaError(path, "the columns nest deeper than %d levels", p.options.Limits.SchemaDepth)
	}
	w := &messageWriter{}
	used := make([]bool, len(columns))
	for _, f := range m.fields {
		below := join(path, f.name)
		at, twice := frame.Named(columns, f.name)
		if twice {
			return nil, nil, schemaError(below, "the frame has two columns of this name")
		}
		if at < 0 {
			if err := p.missing(f, columns, below); err != nil {
				return nil, nil, err
			}
			continue
		}
		used[at] = true
		one, err := p.field(f, columns[at].Type, below)
		if err != nil {
			return nil, nil, err
		}
		one.column = at
		w.fields = append(w.fields, one)
	}
	slices.SortFunc(w.fields, func(a, b *fieldWriter) int { return int(a.of.number) - int(b.of.number) })
	w.group()
	ignored, err := p.extra(columns, func(i int) bool { return used[i] }, m, path)
	return w, ignored, err
}

// group finds the oneofs of which several fields have a column.
func (w *messageWriter) group() {
	members := map[int][]int{}
	for i, f := range w.fields {
		if f.of.oneof >= 0 {
			members[f.of.oneof] = append(members[f.of.oneof], i)
		}
	}
	for i, f := range w.fields { // in the order of fields, so that errors are always the same
		if all := members[f.of.oneof]; f.of.oneof >= 0 && len(all) > 1 && all[0] == i {
			w.oneofs = append(w.oneofs, all)
		}
	}
}

// missing is the error of a field without a column, if it is one: what is absent is the default.
func (p *encodePlanner) missing(f *field, columns []arrow.Field, path string) error {
	hint := nearest.Hint(f.name, frame.Names(columns))
	switch {
	case f.required:
		return schemaError(path, "the frame has no column for this field, which is required%s", hint)
	case p.options.Missing != format.DefaultMissing:
		return schemaError(path, `the frame has no column for this field of the schema%s; missing="default" leaves it out of the messages, which readers see as its default`, hint)
	}
	return nil
}

// extra lists the columns that the message does not name, which may be an error.
func (p *encodePlanner) extra(columns []arrow.Field, used func(int) bool, m *message, path string) (ignored []string, err error) {
	for i, c := range columns {
		if used(i) {
			continue
		}
		if p.options.Extra == format.RaiseExtra {
			return nil, schemaError(join(path, c.Name), `message %s has no such field%s; drop the column, or ignore it with extra="ignore"`, short(m.name), nearest.Hint(c.Name, m.fieldNames()))
		}
		ignored = append(ignored, join(path, c.Name))
	}
	return ignored, nil
}

// stored is the type of the values of a column: what dictionaries and runs refer to.
func stored(t arrow.DataType) arrow.DataType {
	for {
		switch s := frame.Storage(t).(type) {
		case *arrow.DictionaryType:
			t = s.ValueType
		case *arrow.RunEndEncodedType:
			t = s.Encoded()
		default:
			return t
		}
	}
}

// field makes the writer of a field.
func (p *encodePlanner) field(f *field, t arrow.DataType, path string) (w *fieldWriter, err error) {
	w = &fieldWriter{of: f, path: path, tag: uint64(tagOf(f, valueOp(f)))}
	if !f.defined() {
		return nil, schemaError(path, "the type %s is not defined: neither the schema nor its references have it; register it as a reference", short(f.typeName))
	}
	if !f.repeated {
		w.value, err = p.value(f, t, path)
		return w, err
	}
	if err := p.count(path); err != nil {
		return nil, err
	}
	of := frame.Storage(stored(t))
	if of.ID() == arrow.NULL {
		w.value = &valueWriter{of: f, path: path}
		return w, nil
	}
	list, ok := of.(arrow.ListLikeType)
	if !ok {
		return nil, schemaError(path, "a column of the Arrow type %s cannot be written as %s: it must be a list", t, f.describe())
	}
	if f.isMap() {
		return w, p.mapping(w, list)
	}
	w.form = writeList
	if w.value, err = p.value(f, list.Elem(), join(path, "item")); err != nil {
		return nil, err
	}
	if f.packed && w.tag&7 != wireBytes && w.tag&7 != wireGroup {
		w.form, w.tag = writePacked, w.tag&^7|wireBytes
	}
	return w, nil
}

// mapping makes the writers of the entries of a map.
func (p *encodePlanner) mapping(w *fieldWriter, list arrow.ListLikeType) (err error) {
	w.form = writeMap
	key, value := w.of.message.field(1), w.of.message.field(2)
	entry, ok := frame.Storage(list.Elem()).(*arrow.StructType)
	switch {
	case key == nil || value == nil || key.repeated || value.repeated || key.message != nil || len(w.of.message.fields) != 2:
		return schemaError(w.path, "the entries of the map are not a key of the number 1 and a value of the number 2")
	case !ok || entry.NumFields() != 2:
		return schemaError(w.path, "a column of lists of the Arrow type %s cannot be written as a map: it must be a map, or a list of structs of a key and a value", list.Elem())
	case !value.defined() || !key.defined():
		return schemaError(w.path, "the type %s is not defined: neither the schema nor its references have it", short(key.typeName+value.typeName))
	}
	if w.key, err = p.value(key, entry.Field(0).Type, join(w.path, "key")); err != nil {
		return err
	}
	w.value, err = p.value(value, entry.Field(1).Type, join(w.path, "value"))
	return err
}

// count counts one more writer.
func (p *encodePlanner) count(path string) error {
	if p.nodes++; p.nodes > p.options.Limits.Columns {
		return schemaError(path, "the columns and the schema stand for more than %d values", p.options.Limits.Columns)
	}
	return nil
}

// value makes the writer of single values.
func (p *encodePlanner) value(f *field, whole arrow.DataType, path string) (*valueWriter, error) {
	if err := p.count(path); err != nil {
		return nil, err
	}
	w := &valueWriter{of: f, path: path}
	t := stored(whole)
	s := frame.Storage(t)
	if s.ID() == arrow.NULL {
		return w, nil
	}
	if f.message != nil {
		return w, p.messageValue(w, t)
	}
	w.wire = valueOp(f)
	_, number := frame.Loads[s.ID()]
	switch {
	case f.kind == kindEnum && (frame.IsText(t) || number):
		w.code = writeEnum
	case f.kind == kindBool && (s.ID() == arrow.BOOL || frame.IsBool8(t)):
		w.code = writeBool
	case f.kind == kindString && frame.IsText(t):
		w.code = writeText
	case f.kind == kindBytes && (frame.IsBinary(t) || frame.IsText(t) || s.ID() == arrow.FIXED_SIZE_BINARY):
		w.code = writeBytes
	case number && f.kind != kindEnum && f.kind != kindBool && f.kind != kindString && f.kind != kindBytes:
		w.code = writeNumber
	default:
		own := "a text of its names, or its numbers"
		if f.kind != kindEnum {
			own = scalars[f.kind].dtype.String()
		}
		return nil, p.mismatch(f, t, path, own)
	}
	return w, nil
}

func (p *encodePlanner) mismatch(f *field, t arrow.DataType, path, own string) error {
	return schemaError(path, "a column of the Arrow type %s cannot be written as %s: cast it to %s", t, f.describe(), own)
}

// messageValue makes the writer of a message, which may have an Arrow type of its own.
func (p *encodePlanner) messageValue(w *valueWriter, t arrow.DataType) (err error) {
	f, m, s := w.of, w.of.message, frame.Storage(t)
	switch m.known {
	case wellTimestamp, wellDuration, wellDate, wellTimeOfDay:
		return p.time(w, t)
	case wellDecimal:
		if d, ok := s.(arrow.DecimalType); ok {
			if w.code, w.scale = writeMade, d.GetScale(); w.scale > maxScale || w.scale < -maxScale {
				return schemaError(w.path, "the scale %d of the column is not from %d to %d", w.scale, -maxScale, maxScale)
			}
			return nil
		}
		if frame.IsText(t) {
			w.code = writeMade
			return nil
		}
		return p.mismatch(f, t, w.path, "a decimal, or to the text of one")
	case wellWrapper:
		w.code = writeWrapper
		w.inner, err = p.value(m.fields[0], t, w.path)
		return err
	case wellStruct, wellValue, wellList:
		if !frame.IsText(t) {
			return p.mismatch(f, t, w.path, "the text of its JSON")
		}
		w.code, w.depth = writeMade, p.options.Limits.ValueDepth
		return nil
	}
	if frame.IsText(t) && slices.Contains(p.open, m) { // as recursion="json" reads it
		w.code, w.depth = writeMade, p.options.Limits.ValueDepth
		return nil
	}
	st, ok := s.(*arrow.StructType)
	if !ok {
		return p.mismatch(f, t, w.path, "a struct")
	}
	w.code = writeStruct
	w.message, _, err = p.message(m, st.Fields(), w.path)
	return err
}

// time makes the writer of a moment, a duration, a date or a time of day.
func (p *encodePlanner) time(w *valueWriter, t arrow.DataType) error {
	w.code = writeTime
	switch s := frame.Storage(t).(type) {
	case *arrow.TimestampType:
		if w.of.message.known != wellTimestamp {
			break
		}
		if s.TimeZone == "" {
			return schemaError(w.path, "a column of the Arrow type %s cannot be written as %s: it has no time zone, and the field is a point in time: say which zone it is in (tz_localize in pandas, replace_time_zone in polars)", t, w.of.describe())
		}
		w.unit = s.Unit
		return nil
	case *arrow.DurationType:
		if w.unit = s.Unit; w.of.message.known == wellDuration {
			return nil
		}
	case *arrow.Date32Type:
		if w.of.message.known == wellDate {
			return nil
		}
	case *arrow.Time32Type:
		if w.unit = s.Unit; w.of.message.known == wellTimeOfDay {
			return nil
		}
	case *arrow.Time64Type:
		if w.unit = s.Unit; w.of.message.known == wellTimeOfDay {
			return nil
		}
	}
	own := map[wellKnown]string{wellTimestamp: "timestamp[us, tz=UTC]", wellDuration: "duration[us]", wellDate: "date32", wellTimeOfDay: "time64[ns]"}
	return p.mismatch(w.of, t, w.path, own[w.of.message.known])
}
