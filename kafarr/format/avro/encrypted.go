package avro

import (
	"slices"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// MarkEncrypted notes which strings and bytes are ciphertext: those of fields that a rule applies to. Rules are numbered from 0, and applies is asked for each of them and each
// field, by the full name of its record and its own name, with the tags that stand in the schema. As serializers do it, a field stands for what lies in its arrays, maps and unions, and the
// fields of a record within it for themselves.
func (s *Schema) MarkEncrypted(rules int, applies func(rule int, field string, tags []string) bool) {
	s.markRecords(rules, applies, map[*Schema]bool{})
}

func (s *Schema) markRecords(rules int, applies func(int, string, []string) bool, seen map[*Schema]bool) {
	switch s.Type {
	case Array, Map:
		s.Items.markRecords(rules, applies, seen)
	case Union:
		for _, branch := range s.Branches {
			branch.markRecords(rules, applies, seen)
		}
	case Record:
		if seen[s] {
			return
		}
		seen[s] = true
		for i := range s.Fields {
			f := &s.Fields[i]
			for rule := range rules {
				if applies(rule, s.Name+"."+f.Name, f.Tags) {
					f.Type.markValues(rule)
				}
			}
			f.Type.markRecords(rules, applies, seen)
		}
	}
}

// markValues marks what serializers encrypt of a field.
func (s *Schema) markValues(rule int) {
	switch s.Type {
	case String, Bytes:
		s.encryptedBy = append(s.encryptedBy, rule)
	case Array, Map:
		s.Items.markValues(rule)
	case Union:
		for _, branch := range s.Branches {
			branch.markValues(rule)
		}
	}
}

// encryptedWithin are the rules that encrypted something of a value.
func (s *Schema) encryptedWithin(seen map[*Schema]bool) []int {
	found := slices.Clone(s.encryptedBy)
	switch s.Type {
	case Array, Map:
		found = append(found, s.Items.encryptedWithin(seen)...)
	case Union:
		for _, branch := range s.Branches {
			found = append(found, branch.encryptedWithin(seen)...)
		}
	case Record:
		if seen[s] {
			break
		}
		seen[s] = true
		for _, f := range s.Fields {
			found = append(found, f.Type.encryptedWithin(seen)...)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// encryptedValues lists the values that steps read and that were encrypted, each path once.
func encryptedValues(steps []step) []format.EncryptedValue {
	var found []format.EncryptedValue
	for i := range steps {
		st := &steps[i]
		if len(st.table) > 0 && st.code != opEnum && st.code != opBranches && st.code != opSealed && !slices.ContainsFunc(found, func(v format.EncryptedValue) bool { return v.Path == st.path }) {
			found = append(found, format.EncryptedValue{Path: st.path, Rules: st.table})
		}
	}
	return found
}
