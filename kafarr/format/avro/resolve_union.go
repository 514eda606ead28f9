package avro

import (
	"errors"
	"slices"
)

// fromUnion reads a value written as a union.
func (c *compiler) fromUnion(w *Schema, l *layout, path string) error {
	if other, null := w.optional(); other != nil && l.field.Nullable && l.schema.Type != Union && l.schema.Type != Null {
		before := len(c.steps)
		if c.single(other, l, path, int8(null)) == nil { //nolint:gosec // 0 or 1
			return nil
		}
		c.steps = c.steps[:before]
	}
	same := l.schema.Type == Union && sameBranches(w, l.schema)
	return c.branches(w, l.id, path, func(i int, branch *Schema) error {
		if same && branch.Type != Null {
			return c.intoMember(branch, l, l.schema.member(i), path)
		}
		return c.single(branch, l, path, notNullable)
	})
}

// branches adds the step that reads a union's index, and below it the steps of each branch, which read adds. A branch that cannot be read is an error of
// the rows that hold it; that none can is one of the schema.
func (c *compiler) branches(w *Schema, column int, path string, read func(i int, branch *Schema) error) error {
	i := c.add(step{code: opBranches, null: notNullable, column: column, path: path, table: make([]int, len(w.Branches)), unreadable: make([]string, len(w.Branches))})
	var first error
	readable := 0
	for b, branch := range w.Branches {
		at := len(c.steps)
		if err := read(b, branch); err != nil {
			var no *IncompatibleError
			if !errors.As(err, &no) {
				return err
			}
			if first == nil {
				first = err
			}
			c.steps = c.steps[:at]
			c.steps[i].table[b] = -1
			c.steps[i].unreadable[b] = no.Msg
			continue
		}
		c.steps[i].table[b] = at
		readable++
	}
	c.close(i)
	if readable == 0 {
		return first
	}
	return nil
}

// intoUnion reads a value that is no union into a union: into the branch of the very same name, or else into the first that it can be read as, promoted or not. That is
// the specification's rule but for the name: by its letter a record would be read as the first of two that differ in their namespaces.
func (c *compiler) intoUnion(w *Schema, l *layout, path string) error {
	r := l.schema
	if w.Type == Null {
		if !l.field.Nullable {
			return incompatible(path, w, r, "null is none of the reader's types")
		}
		c.close(c.add(step{code: opNullUnion, null: notNullable, column: l.id, path: path}))
		return nil
	}
	var why error
	named := func(b *Schema) bool { return w.Name != "" && b.Type == w.Type && b.Name == w.Name }
	for _, fits := range []func(*Schema) bool{
		named,
		func(b *Schema) bool { return !named(b) && matches(w, b) }, // trying a branch twice would double with each level
	} {
		for i, branch := range r.Branches {
			if branch.Type == Null || !fits(branch) {
				continue
			}
			if why = c.intoMember(w, l, r.member(i), path); why == nil {
				return nil
			}
		}
	}
	if why != nil {
		return why
	}
	return incompatible(path, w, r, "it is none of the reader's types")
}

// intoMember reads a value into one branch of a union.
func (c *compiler) intoMember(w *Schema, l *layout, member int, path string) error {
	at := len(c.steps)
	i := c.add(step{code: opMember, null: notNullable, column: l.id, size: member, path: path})
	if err := c.single(w, l.kids[member], path, notNullable); err != nil {
		c.steps = c.steps[:at]
		return err
	}
	c.close(i)
	return nil
}

// member is the column of a union's branch that is not null, among those of its branches.
func (s *Schema) member(branch int) int {
	n := 0
	for _, b := range s.Branches[:branch] {
		if b.Type != Null {
			n++
		}
	}
	return n
}

// sameBranches reports whether two unions list the same types. Then each branch is read as itself: by the rule for one value, a long in a union of double and long
// would be a double.
func sameBranches(a, b *Schema) bool {
	return slices.EqualFunc(a.Branches, b.Branches, func(x, y *Schema) bool { return x.Type == y.Type && x.Name == y.Name })
}
