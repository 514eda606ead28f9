package avro

import (
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/column"
	"github.com/pykafarr/pykafarr/kafarr/format"
)

// maxDenseBranches is how many members Arrow's unions can have: their type ids are signed bytes.
const maxDenseBranches = 128

// union, of more than null and one type, is a struct with a nullable member per branch, or a dense union. A struct is null where the value is;
// a dense union has a member for null.
func (l *layouter) union(s *Schema, path string, selection *format.Selection) (*layout, error) {
	var kids []*layout
	names := branchNames(s)
	if selection != nil && !slices.ContainsFunc(s.Branches, func(b *Schema) bool { return b.Type == Record || b.Type == Array || b.Type == Map }) {
		return nil, schemaErrorf(path, "columns: no branch of the union has fields")
	}
	for i, b := range s.Branches {
		if b.Type == Null {
			continue
		}
		var below = selection
		if b.Type != Record && b.Type != Array && b.Type != Map {
			below = nil
		}
		kid, err := l.of(b, names[i], format.JoinPath(path, names[i]), below)
		if err != nil {
			return nil, err
		}
		kid.field.Nullable = true
		kids = append(kids, kid)
	}
	if l.options.Unions == format.DenseUnions {
		return l.dense(s, kids, path)
	}
	t := arrow.StructOf(arrowFields(kids)...)
	return &layout{
		field: arrow.Field{Type: t, Nullable: s.nullable()}, kids: kids,
		build: func(kids []column.Column) column.Column { return column.NewStruct(t, kids...) },
	}, nil
}

func (l *layouter) dense(s *Schema, kids []*layout, path string) (*layout, error) {
	fields := arrowFields(kids)
	if s.nullable() || l.options.Nullable {
		fields = append(fields, arrow.Field{Name: "null", Type: arrow.Null, Nullable: true})
	}
	if len(fields) > maxDenseBranches {
		return nil, schemaErrorf(path, `a dense union holds at most %d branches, this one has %d: use unions="struct"`, maxDenseBranches, len(fields))
	}
	ids := make([]arrow.UnionTypeCode, len(fields))
	for i := range ids {
		ids[i] = arrow.UnionTypeCode(i) // bounded above
	}
	t := arrow.DenseUnionOf(fields, ids)
	return &layout{
		field: arrow.Field{Type: t, Nullable: s.nullable()}, kids: kids,
		build: func(kids []column.Column) column.Column {
			if len(kids) < len(fields) {
				kids = append(kids, column.NewNull())
			}
			return column.NewDenseUnion(t, kids...)
		},
	}, nil
}

// branchNames names a union's branches: by the type, a named type by its unqualified name, or by the full one with _ for . where two clash.
func branchNames(s *Schema) []string {
	names := make([]string, len(s.Branches))
	count := map[string]int{}
	for i, b := range s.Branches {
		names[i] = unqualified(b.TypeName())
		count[names[i]]++
	}
	taken := map[string]bool{}
	for i, b := range s.Branches {
		if count[names[i]] > 1 {
			names[i] = strings.ReplaceAll(b.TypeName(), ".", "_")
		}
		for taken[names[i]] { // a.b_c and a_b.c are both a_b_c
			names[i] += "_"
		}
		taken[names[i]] = true
	}
	return names
}
