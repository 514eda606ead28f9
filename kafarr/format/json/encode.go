package json

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/frame"
	"github.com/pykafarr/pykafarr/kafarr/nearest"
)

// Encoding is a schema and the columns of a frame, compiled: how rows become texts of JSON. It implements format.Encoding.
type Encoding struct {
	root    *writer
	columns []arrow.Field // what it was compiled for
	ignored []string
	size    int
}

var _ format.Encoding = (*Encoding)(nil)

// writer writes the values of a node. It is not changed once it is compiled.
type writer struct {
	*node
	column   int            // the child that it reads; noColumn: none, and a null is written
	values   arrow.DataType // of the column, without dictionaries, runs and extensions
	uuid     bool
	member   []byte // the name as it stands in JSON, in quotes and with the colon
	kids     []*writer
	mode     unionMode
	fraction bool  // a whole number is written as 1.0, since a branch of whole numbers would take 1
	mul, div int64 // of units of time; 0: as they are
}

// unionMode is how a column holds the values of a union.
type unionMode uint8

const (
	plainUnion  unionMode = iota // all are of one branch
	structUnion                  // a struct with a member for each branch
	arrowUnion                   // a dense or a sparse union
)

// planner makes writers: it walks the nodes of the schema and the Arrow types together.
type planner struct {
	options *format.EncodeOptions
	ignored []string
}

// CompileEncoding makes the plan that writes rows of these columns as values of a schema.
func CompileEncoding(s *Schema, columns []arrow.Field, options format.EncodeOptions) (*Encoding, error) {
	limits, err := options.Limits.Resolved()
	if err != nil {
		return nil, schemaErrorf("", "%v", err)
	}
	options.Limits = limits
	l := &layouter{options: &format.Options{Limits: limits, Recursion: format.JSON}}
	root, err := l.of(&s.root, nil, "value", "", nil)
	if err != nil {
		return nil, err
	}
	p := &planner{options: &options}
	e := &Encoding{columns: columns, size: root.columns*nodeBytes + s.text*bytesPerLetter}
	if options.Column == "" && root.op == opObject {
		e.root = &writer{node: root, column: noColumn}
		e.root.kids, err = p.members(root, columns, "")
	} else {
		e.root, err = p.single(root, columns)
	}
	if err != nil {
		return nil, err
	}
	e.ignored = p.ignored
	return e, nil
}

// single makes the writer of one column that holds whole values.
func (p *planner) single(root *node, columns []arrow.Field) (*writer, error) {
	name := p.options.Column
	if name == "" {
		name = "value"
	}
	at, twice := frame.Named(columns, name)
	if twice {
		return nil, twoColumns("", name)
	}
	if at < 0 {
		return nil, schemaErrorf("", "the frame has no column %q for values of the type %s%s", format.ShortName(name), root.describe(), nearest.Hint(name, frame.Names(columns)))
	}
	if p.options.Column == "" {
		for i := range columns {
			if i != at {
				if err := p.extra(root, columns[i].Name, ""); err != nil {
					return nil, err
				}
			}
		}
	}
	w, err := p.value(root, columns[at].Type, format.ShortName(name))
	if err != nil {
		return nil, err
	}
	w.column = at
	return w, nil
}

func twoColumns(path, name string) error {
	return schemaErrorf(format.JoinPath(path, name), "there are two columns of this name: rename one")
}

// describe names what a node takes, for errors.
func (n *node) describe() string { return n.from.Type.describe() }

// members makes the writers of an object's members, and lists the columns that it does not name.
func (p *planner) members(n *node, columns []arrow.Field, path string) ([]*writer, error) {
	used := make([]bool, len(columns))
	var kids []*writer
	for _, k := range n.kids {
		below := format.JoinPath(path, k.name)
		at, twice := frame.Named(columns, k.name)
		if twice {
			return nil, twoColumns(path, k.name)
		}
		if at < 0 {
			if err := p.missing(k, columns, below); err != nil {
				return nil, err
			}
			if k.from.Optional {
				continue
			}
			kids = append(kids, &writer{node: k, column: noColumn, member: quoted(k.name)})
			continue
		}
		used[at] = true
		w, err := p.value(k, columns[at].Type, below)
		if err != nil {
			return nil, err
		}
		w.column, w.member = at, quoted(k.name)
		kids = append(kids, w)
	}
	for i, c := range columns {
		if !used[i] {
			if err := p.extra(n, c.Name, path); err != nil {
				return nil, err
			}
		}
	}
	return kids, nil
}

// quoted is a name as it stands before a value.
func quoted(name string) []byte { return append(appendText(nil, []byte(name)), ':') }

// missing is the error of a member without a column, if it is one.
func (p *planner) missing(k *node, columns []arrow.Field, path string) error {
	hint := nearest.Hint(k.name, frame.Names(columns))
	switch {
	case k.required:
		return schemaErrorf(path, "the frame has no column for this field, which the schema requires%s", hint)
	case p.options.Missing != format.DefaultMissing:
		return schemaErrorf(path, `the frame has no column for this field of the schema%s; missing="default" leaves it out, or writes null where the schema requires it`, hint)
	}
	return nil
}

// extra notes a column that the schema does not name, which may be an error.
func (p *planner) extra(n *node, name, path string) error {
	below := format.JoinPath(path, name)
	if p.options.Extra == format.RaiseExtra {
		var names []string
		for _, k := range n.kids {
			names = append(names, k.name)
		}
		return schemaErrorf(below, `%s has no such field%s; drop the column, or ignore it with extra="ignore"`, n.describe(), nearest.Hint(name, names))
	}
	p.ignored = append(p.ignored, below)
	return nil
}

// value makes the writer of the values of a column.
func (p *planner) value(n *node, t arrow.DataType, path string) (*writer, error) {
	values, stored := valuesOfType(t)
	w := &writer{node: n, uuid: frame.IsUUID(values), values: stored}
	if w.values.ID() == arrow.NULL {
		return w, nil
	}
	switch n.op {
	case opObject:
		st, ok := w.values.(*arrow.StructType)
		if !ok {
			return nil, w.mismatch(t, path, "it must be a struct")
		}
		var err error
		w.kids, err = p.members(n, st.Fields(), path)
		return w, err
	case opArray, opMap, opEntries:
		return w, p.list(w, t, path)
	case opUnion:
		return w, p.union(w, t, path)
	}
	if !w.takesLeaf(t) {
		return nil, w.mismatch(t, path, w.hintFor())
	}
	return w, nil
}

// valuesOfType is the type of the values that a column stands for, whatever leads to them, and the type that these are stored as.
func valuesOfType(t arrow.DataType) (values, stored arrow.DataType) {
	for {
		switch of := frame.Storage(t).(type) {
		case *arrow.DictionaryType:
			t = of.ValueType
		case *arrow.RunEndEncodedType:
			t = of.Encoded()
		default:
			return t, of
		}
	}
}

// mismatch is the error of a column that cannot be written as its field's type, whatever its values are.
func (w *writer) mismatch(t arrow.DataType, path, hint string) error {
	return schemaErrorf(path, "a column of the Arrow type %s cannot be written as %s: %s", t, w.describe(), hint)
}

// list makes the writer of an array or a map. A map may be a list of structs of two members, too, which is what polars makes of it.
func (p *planner) list(w *writer, t arrow.DataType, path string) error {
	var item arrow.DataType
	switch of := w.values.(type) {
	case *arrow.MapType: // which is a ListLikeType, too
		if w.op != opArray {
			item = of.Elem()
		}
	case arrow.ListLikeType:
		item = of.Elem()
	}
	if item == nil {
		return w.mismatch(t, path, "it must be a list, or a map")
	}
	if w.op == opArray {
		kid, err := p.value(w.node.kids[0], item, format.JoinPath(path, "item"))
		w.kids = []*writer{kid}
		return err
	}
	_, stored := valuesOfType(item)
	entry, ok := stored.(*arrow.StructType)
	if !ok || entry.NumFields() != 2 {
		return w.mismatch(t, path, "its items must be structs of key and value")
	}
	for i, k := range w.node.kids {
		kid, err := p.value(k, entry.Field(i).Type, format.JoinPath(path, k.name))
		if err != nil {
			return err
		}
		kid.column = i
		if w.op == opEntries {
			kid.member = quoted(w.skipped[i])
		}
		w.kids = append(w.kids, kid)
	}
	return nil
}

// union takes a struct with a member for each branch, Arrow's unions, and a column of one branch.
func (p *planner) union(w *writer, t arrow.DataType, path string) error {
	names := make([]string, len(w.node.kids))
	for i, k := range w.node.kids {
		names[i] = k.name
	}
	var fields []arrow.Field
	switch of := w.values.(type) {
	case arrow.UnionType:
		w.mode, fields = arrowUnion, of.Fields()
	case *arrow.StructType:
		if of.NumFields() > 0 && !slices.ContainsFunc(of.Fields(), func(f arrow.Field) bool { return !slices.Contains(names, f.Name) }) {
			w.mode, fields = structUnion, of.Fields()
		}
	}
	if w.mode == plainUnion {
		return p.plainUnion(w, t, path)
	}
	for i, f := range fields {
		branch := slices.Index(names, f.Name)
		if f.Type.ID() == arrow.NULL && branch < 0 { // a listener's union has it where rows without a value are kept
			w.kids = append(w.kids, &writer{node: &node{op: opNull, path: path, nullable: true, from: w.from}, column: i, values: arrow.Null})
			continue
		}
		if branch < 0 {
			return schemaErrorf(format.JoinPath(path, f.Name), "the union's member is none of the branches of the schema: %s", firstOf(names))
		}
		kid, err := p.value(w.node.kids[branch], f.Type, format.JoinPath(path, f.Name))
		if err != nil {
			return err
		}
		kid.column = i
		w.kids = append(w.kids, kid)
	}
	w.tellFractions()
	return nil
}

// plainUnion takes a column of values of one branch.
func (p *planner) plainUnion(w *writer, t arrow.DataType, path string) error {
	var fits []string
	for _, k := range w.node.kids {
		kid, err := p.value(k, t, path)
		if err != nil {
			continue
		}
		if w.kids, fits = append(w.kids, kid), append(fits, k.name); arrow.TypeEqual(k.dtype, w.values) || k.op == opText && frame.IsText(w.values) {
			w.kids, fits = []*writer{kid}, []string{k.name}
			break
		}
	}
	switch {
	case len(fits) == 0:
		return w.mismatch(t, path, "no branch takes it")
	case len(fits) > 1:
		return w.mismatch(t, path, "several branches take it ("+firstOf(fits)+"); make it a struct with a member per branch")
	}
	w.tellFractions()
	return nil
}

// tellFractions has floats written so that they are not taken for values of a branch of whole numbers.
func (w *writer) tellFractions() {
	if i := w.branches.whole; i < 0 || w.node.kids[i].op == opFloat || w.node.kids[i].op == opDouble {
		return
	}
	for _, k := range w.kids {
		k.fraction = k.op == opDouble || k.op == opFloat
	}
}

// Ignored implements format.Encoding.
func (e *Encoding) Ignored() []string { return e.ignored }

// Size implements format.Encoding.
func (e *Encoding) Size() int { return e.size + int(unsafe.Sizeof(*e)) }

// Bind implements format.Encoding.
func (e *Encoding) Bind(batch arrow.RecordBatch, skip []bool) (format.Encoder, error) {
	rows, err := frame.Open(batch, e.columns, skip)
	if err != nil {
		return nil, err
	}
	out := &Encoder{rows: rows.Rows}
	if e.root.column != noColumn {
		c, err := rows.Column(e.root.column)
		if err != nil {
			return nil, err
		}
		out.root = source{writer: e.root}
		return out, out.root.bind(c)
	}
	out.root = source{writer: e.root}
	for _, w := range e.root.kids {
		kid := source{writer: w}
		if w.column != noColumn {
			c, err := rows.Column(w.column)
			if err != nil {
				return nil, err
			}
			if err := kid.bind(c); err != nil {
				return nil, err
			}
		}
		out.root.kids = append(out.root.kids, kid)
	}
	return out, nil
}

// wrongValue is the error of a value of a column.
func (s *source) wrong(i int, text string, args ...any) error {
	return s.from.Wrong(i, s.from.Text(i), fmt.Sprintf(text, args...))
}
