package avro

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

func incompatible(path string, writer, reader *Schema, why string) error {
	return &IncompatibleError{Path: path, Msg: fmt.Sprintf("written as %s, read as %s: %s", writer.describe(), reader.describe(), why)}
}

// compiler turns a writer's schema and the reader's layout into steps, by the rules of "Schema Resolution" in the specification.
type compiler struct {
	steps  []step
	depth  int
	values int // tried so far
	limits format.Limits
	unseal bool
	enums  map[[2]*Schema][]int // tables, by the writer's and the reader's
}

// valuesPerColumn bounds, by the limit of columns, how many of the writer's values are tried. A union of two records that are both read as the reader's one
// doubles them, and does so again at each level below.
const valuesPerColumn = 4

// try counts a value that is to be read.
func (c *compiler) try(path string) error {
	if c.values++; c.values > valuesPerColumn*c.limits.Columns {
		return schemaErrorf(path, "there are more than %d ways of reading the writer's values as the reader's", valuesPerColumn*c.limits.Columns)
	}
	return nil
}

// add appends a step and returns its index.
func (c *compiler) add(s step) int {
	c.steps = append(c.steps, s)
	return len(c.steps) - 1
}

// close ends a step that has others below it.
func (c *compiler) close(i int) { c.steps[i].end = len(c.steps) }

// value adds the steps that read a value written as w into the layout's column.
func (c *compiler) value(w *Schema, l *layout, path string) error {
	if c.depth++; c.depth > 2*c.limits.SchemaDepth {
		return schemaErrorf(path, "the schema nests deeper than %d levels", c.limits.SchemaDepth)
	}
	defer func() { c.depth-- }()
	if l.json {
		if !sameShape(w, l.schema, map[[2]*Schema]bool{}) {
			return incompatible(path, w, l.schema, "a recursive type is read as it was written only")
		}
		i := c.add(step{code: opJSON, null: notNullable, column: l.id, path: path, schema: w, table: w.encryptedWithin(map[*Schema]bool{})})
		c.close(i)
		return nil
	}
	if w.Type == Union {
		return c.fromUnion(w, l, path)
	}
	return c.single(w, l, path, notNullable)
}

// single reads a value that is no union, into any column. null is the branch that is null, when an optional's index is to be read first.
func (c *compiler) single(w *Schema, l *layout, path string, null int8) error {
	if err := c.try(path); err != nil {
		return err
	}
	if l.schema.Type == Union { // of more than null and one type: the layout of an optional has the other type's schema
		return c.intoUnion(w, l, path)
	}
	if w.Type == Null && l.schema.Type != Null {
		if !l.field.Nullable {
			return incompatible(path, w, l.schema, "null is none of the reader's types")
		}
		c.close(c.add(step{code: opNull, null: notNullable, column: l.id, path: path}))
		return nil
	}
	return c.plain(w, l, path, null)
}

// plain reads a value that is no union into a column that is none.
func (c *compiler) plain(w *Schema, l *layout, path string, null int8) error {
	r := l.schema
	st := step{code: l.code, null: null, column: l.id, size: l.size, path: path, table: w.encryptedBy}
	if l.code == opDecimalText || l.code == opDecimalFixedText {
		st.schema = r // for its scale
	}
	switch {
	case w.Type == r.Type && w.Type == Record:
		return c.record(w, l, path, null)
	case w.Type == r.Type && (w.Type == Array || w.Type == Map):
		return c.blocks(w, l, path, null)
	case w.Type == r.Type:
		if why := mismatch(w, r); why != "" {
			return incompatible(path, w, r, why)
		}
		if w.Type == Enum {
			st.table, st.schema = c.enumTable(w, r), r
			st.size = len(w.Symbols)
		}
		st.more = w.Size
	case w.validLogical() == "decimal" && r.validLogical() == "decimal": // one in bytes, the other in a fixed
		if why := mismatch(w, r); why != "" {
			return incompatible(path, w, r, why)
		}
		st.code, st.more = decimalCode(w.Type, r.Logical.Precision), w.Size
	default:
		code, ok := promotions[[2]Type{w.Type, r.Type}]
		if !ok {
			return incompatible(path, w, r, "the types do not match")
		}
		if base := baseTypes[r.Type](r); l.code != base.code { // such as an int read as time-micros: its range is not checked that way
			return incompatible(path, w, r, "the types do not match")
		}
		if why := mismatch(w, r); why != "" { // such as a date's days read as milliseconds
			return incompatible(path, w, r, why)
		}
		st.code = code
	}
	if c.unseal && len(w.encryptedBy) == 1 && (st.code == opString || st.code == opBytes) {
		st.size, st.code = sealing(w.Type == String, st.code == opString), opSealed
	}
	c.close(c.add(st))
	return nil
}

// promotions are the pairs of types of which one may be read as the other.
var promotions = map[[2]Type]opcode{
	{Int, Long}: opIntToLong, {Int, Float}: opIntToFloat, {Int, Double}: opIntToDouble,
	{Long, Float}: opLongToFloat, {Long, Double}: opLongToDouble, {Float, Double}: opFloatToDouble,
	{Bytes, String}: opString, {String, Bytes}: opBytes,
}

// mismatch returns why two schemas, whose types match and are no record, array, map or union, do not.
func mismatch(w, r *Schema) string {
	switch {
	case w.Type == r.Type && (w.Type == Enum || w.Type == Fixed) && !sameName(w, r):
		return "the names do not match"
	case w.Type == Fixed && r.Type == Fixed && w.Size != r.Size:
		return fmt.Sprintf("the sizes %d and %d do not match", w.Size, r.Size)
	}
	lw, lr := w.validLogical(), r.validLogical()
	if lw == "" || lr == "" { // one side has no opinion of what the value means
		return ""
	}
	if lw != lr {
		return "the logical types do not match, and values are not converted"
	}
	if lw == "decimal" && (w.Logical.Scale != r.Logical.Scale || w.Logical.Precision > r.Logical.Precision) {
		return fmt.Sprintf("decimal(%d, %d) cannot be read as decimal(%d, %d)", w.Logical.Precision, w.Logical.Scale, r.Logical.Precision, r.Logical.Scale)
	}
	return ""
}

// validLogical returns the logical type that counts; empty where it is unknown or not valid on its type.
func (s *Schema) validLogical() string {
	if logical, ok := logicalTypes[s.Logical.Name]; ok {
		if _, valid := logical(s); valid {
			return s.Logical.Name
		}
	}
	return ""
}

// sameName compares as the specification does: unqualified names, or one of the reader's aliases.
func sameName(w, r *Schema) bool {
	return unqualified(w.Name) == unqualified(r.Name) || slices.Contains(r.Aliases, w.Name)
}

func unqualified(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// matches reports, without looking at its content, whether a value written as w can be read as r: how a union's branch is chosen.
func matches(w, r *Schema) bool {
	if w.Type != r.Type {
		_, ok := promotions[[2]Type{w.Type, r.Type}]
		return ok
	}
	switch w.Type {
	case Record:
		return sameName(w, r)
	case Array, Map:
		return matches(w.Items, r.Items) || w.Items.Type == Union || r.Items.Type == Union
	}
	return mismatch(w, r) == ""
}

// fields adds the steps of a record's fields: those of the writer in its order, and then the defaults of those that it has not.
func (c *compiler) fields(w, r *Schema, kids []*layout, path string) error {
	if !sameName(w, r) {
		return incompatible(path, w, r, "the names do not match")
	}
	kid := map[string]*layout{}
	for _, k := range kids {
		kid[k.field.Name] = k
	}
	seen := map[string]bool{}
	from := len(c.steps)
	readers := readerFields(w, r)
	for _, wf := range w.Fields {
		rf := readers[wf.Name]
		if rf == nil || kid[rf.Name] == nil || seen[rf.Name] {
			c.skip(wf.Type, format.JoinPath(path, wf.Name), from)
			continue
		}
		seen[rf.Name] = true
		if err := c.value(wf.Type, kid[rf.Name], format.JoinPath(path, rf.Name)); err != nil {
			return err
		}
	}
	for i := range r.Fields {
		rf := &r.Fields[i]
		if kid[rf.Name] == nil || seen[rf.Name] {
			continue
		}
		if !rf.HasDefault {
			return incompatible(format.JoinPath(path, rf.Name), w, r, "the writer has no such field, and the reader no default")
		}
		if err := c.fromDefault(rf, kid[rf.Name], format.JoinPath(path, rf.Name)); err != nil {
			return err
		}
	}
	return nil
}

// readerFields finds the reader's field for each of the writer's: by its name, or by an alias of a reader's field that the writer does not have by name.
func readerFields(w, r *Schema) map[string]*Field {
	written := map[string]bool{}
	for i := range w.Fields {
		written[w.Fields[i].Name] = true
	}
	found := map[string]*Field{}
	for i := range r.Fields {
		found[r.Fields[i].Name] = &r.Fields[i]
	}
	for i := range r.Fields {
		f := &r.Fields[i]
		for _, alias := range f.Aliases {
			if found[alias] == nil && !written[f.Name] {
				found[alias] = f
			}
		}
	}
	return found
}

// fromDefault appends a default: its value is encoded once, and read again for each row by the reader's own steps.
func (c *compiler) fromDefault(f *Field, l *layout, path string) error {
	body, err := encodeDefault(nil, f.Type, f.Default, path)
	if err != nil {
		return err
	}
	i := c.add(step{code: opDefault, null: notNullable, column: noColumn, path: path, body: body})
	if err := c.value(f.Type, l, path); err != nil {
		return err
	}
	c.close(i)
	return nil
}

// skip skips a record's field that no column takes, together with the ones just before it. from is the record's first step.
func (c *compiler) skip(w *Schema, path string, from int) {
	if w.takesNothing() {
		return
	}
	if last := len(c.steps) - 1; last >= from && c.steps[last].code == opSkip {
		c.steps[last].skipped = append(c.steps[last].skipped, w)
		return
	}
	c.close(c.add(step{code: opSkip, null: notNullable, column: noColumn, skipped: []*Schema{w}, path: path}))
}

// topLevel reads a record whose fields are the columns. A union of records, or of one and null, has the record in some branch.
func (c *compiler) topLevel(w, r *Schema, kids []*layout) error {
	switch w.Type {
	case Record:
		return c.fields(w, r, kids, "")
	case Union:
		return c.branches(w, noColumn, "", func(_ int, branch *Schema) error {
			i := c.add(step{code: opRecord, null: notNullable, column: noColumn})
			err := c.topLevel(branch, r, kids)
			c.close(i)
			return err
		})
	}
	return incompatible("", w, r, "the types do not match")
}

// sameShape reports whether two schemas, which may be recursive, write the same bytes for the same values under the same names.
func sameShape(a, b *Schema, seen map[[2]*Schema]bool) bool {
	if a == b || seen[[2]*Schema{a, b}] {
		return true
	}
	seen[[2]*Schema{a, b}] = true
	if a.Type != b.Type || a.Name != b.Name || len(a.Fields) != len(b.Fields) || len(a.Branches) != len(b.Branches) ||
		!slices.Equal(a.Symbols, b.Symbols) || a.Size != b.Size || a.Logical != b.Logical {
		return false
	}
	for i := range a.Fields {
		if a.Fields[i].Name != b.Fields[i].Name || !sameShape(a.Fields[i].Type, b.Fields[i].Type, seen) {
			return false
		}
	}
	for i := range a.Branches {
		if !sameShape(a.Branches[i], b.Branches[i], seen) {
			return false
		}
	}
	return a.Items == nil || sameShape(a.Items, b.Items, seen)
}
