package avro

import (
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/frame"
)

// union makes the writer of a union.
func (p *planner) union(to target, t arrow.DataType) (writer, error) {
	s := to.schema
	if other, null := s.optional(); other != nil && !isUnion(t) {
		return p.value(other, t, to.path, int8(null)) //nolint:gosec // 0 or 1
	}
	if len(s.Branches) == 1 && !isUnion(t) {
		w, err := p.value(s.Branches[0], t, to.path, notNullable)
		return &prefixWriter{[]byte{0}, w}, err
	}
	null := s.nullIndex()
	switch t := frame.Storage(t).(type) {
	case arrow.UnionType:
		return p.arrowUnion(to, t, null)
	case *arrow.StructType:
		names := branchNames(s)
		if t.NumFields() > 0 && !slices.ContainsFunc(t.Fields(), func(f arrow.Field) bool { return !slices.Contains(names, f.Name) }) {
			return p.structUnion(to, t, names, null)
		}
	}
	return p.plainUnion(to, t, null)
}

func isUnion(t arrow.DataType) bool {
	_, ok := frame.Storage(t).(arrow.UnionType)
	return ok
}

// structUnion takes the reader's default form: a struct with a member per branch, one of which is not null.
func (p *planner) structUnion(to target, t *arrow.StructType, names []string, null int) (writer, error) {
	w := &structUnionWriter{target: to, null: null}
	for i, f := range t.Fields() {
		branch := slices.Index(names, f.Name)
		if _, err := columnNamed(t.Fields(), f.Name, to.path); err != nil {
			return nil, err
		}
		if branch == null {
			continue // polars' and duckdb's structs may have it: it says nothing that the others do not say
		}
		kid, err := p.value(to.schema.Branches[branch], f.Type, format.JoinPath(to.path, f.Name), nullAbove)
		if err != nil {
			return nil, err
		}
		w.members = append(w.members, member{child: i, branch: branch, writer: kid})
	}
	return w, nil
}

// arrowUnion takes a dense or sparse union whose members are named like the branches.
func (p *planner) arrowUnion(to target, t arrow.UnionType, null int) (writer, error) {
	names := branchNames(to.schema)
	w := &arrowUnionWriter{target: to, null: null, dense: t.Mode() == arrow.DenseMode, codes: t.TypeCodes()}
	for i, f := range t.Fields() {
		branch := slices.Index(names, f.Name)
		// Where rows without a value are kept, a listener's union has null, too, and the value of such a row is not written.
		onlyNull := f.Name == "null" && f.Type.ID() == arrow.NULL
		if branch < 0 && !onlyNull {
			return nil, schemaErrorf(format.JoinPath(to.path, f.Name), "the union's member is none of the branches of the schema: %s", strings.Join(names, ", "))
		}
		if branch == null {
			w.members = append(w.members, member{child: i, branch: branch, writer: &onlyNullWriter{target{format.JoinPath(to.path, f.Name), &Schema{Type: Null}, nullAbove}}})
			continue
		}
		kid, err := p.value(to.schema.Branches[branch], f.Type, format.JoinPath(to.path, f.Name), nullAbove)
		if err != nil {
			return nil, err
		}
		w.members = append(w.members, member{child: i, branch: branch, writer: kid})
	}
	return w, nil
}

// plainUnion takes a column of values of one branch: of the one whose own type it has, or else of the only one that it can be written as.
func (p *planner) plainUnion(to target, t arrow.DataType, null int) (writer, error) {
	found := -1
	var kid writer
	var fits []string
	for i, branch := range to.schema.Branches {
		if branch.Type == Null {
			continue
		}
		w, err := p.value(branch, t, to.path, nullAbove)
		if err != nil {
			continue
		}
		found, kid = i, w
		if branch.isOwn(t) {
			fits = nil
			break
		}
		fits = append(fits, branch.TypeName())
	}
	switch {
	case found < 0:
		return nil, schemaErrorf(to.path, "a column of the Arrow type %s can be written as no branch of %s: %s", t, to.schema.describe(), strings.Join(branchNames(to.schema), ", "))
	case len(fits) > 1:
		return nil, schemaErrorf(to.path, "a column of the Arrow type %s can be written as several branches: %s; make it a struct with a member per branch, or cast it to the type that a branch is read as", t, strings.Join(fits, ", "))
	}
	return &plainUnionWriter{to, found, null, kid}, nil
}

// isOwn reports whether an Arrow type is the one that values of a schema are read as, but for its width and layout.
func (s *Schema) isOwn(t arrow.DataType) bool {
	switch s.Type {
	case Record, Array, Map, Union:
		return false
	}
	own, _ := leafOf(s)
	if own.code == opString {
		return frame.IsText(t)
	}
	if own.code == opBytes {
		return frame.IsBinary(t)
	}
	if own.code == opEnum {
		return t.ID() == arrow.DICTIONARY
	}
	return arrow.TypeEqual(own.dtype, t)
}
