package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// ciphertextFault is the error of a plan that reads ciphertext; nil: it reads none, or is to read it as it is. It is one of the option's: the messages are good, and passing them would lose them.
func (s *Resolver) ciphertextFault(p format.Plan, schema registry.Schema, rules []registry.Rule) *status.Error {
	what, remedy := s.ciphertext(p, rules)
	if what == "" {
		return nil
	}
	if s.cfg.Rules == IgnoreRules {
		s.warnOnce("RULES", fmt.Sprintf("%s: %s%s, and rules=\"ignore\" reads that as it is", p.MessageType(), what, of(schema.Contract.Subjects)))
		return nil
	}
	why := "which is not executed"
	if s.cfg.Rules == DecryptRules {
		why = "which is executed for fields of values only, of strings and bytes with one such rule"
	}
	e := status.Errorf(status.ConfigError, "%s%s, %s (%s)", what, of(schema.Contract.Subjects), why, remedy)
	e.Option = "rules"
	return e
}

// ciphertext says what of the values, or keys, that a plan reads was encrypted, and by which rules; empty: nothing. remedy is how to read them all the same.
func (s *Resolver) ciphertext(p format.Plan, rules []registry.Rule) (what, remedy string) {
	content, option := "value", "value"
	if s.cfg.IsKey {
		content, option = "key", "key"
	}
	for i, r := range rules {
		if r.EncryptsPayload() {
			return fmt.Sprintf("the whole %s is ciphertext, by %s", content, named(rules, i)), fmt.Sprintf("%s=\"bytes\" gives it as it is; rules=\"ignore\" reads what was written without the rule", option)
		}
	}
	if len(p.Encrypted()) == 0 {
		return "", ""
	}
	var paths []string
	var by []int
	for _, v := range p.Encrypted() {
		paths = append(paths, v.Path)
		by = append(by, v.Rules...)
	}
	if len(paths) > mostNamed {
		paths = append(paths[:mostNamed], "…")
	}
	slices.Sort(by)
	fields := "field " + paths[0] + " of the " + content + " is"
	if len(paths) > 1 {
		fields = "fields " + strings.Join(paths, ", ") + " of the " + content + " are"
	}
	remedy = "rules=\"ignore\" reads ciphertext as it is"
	if !s.cfg.IsKey {
		remedy = "columns can leave out what is encrypted; " + remedy
	}
	return fmt.Sprintf("%s ciphertext, by %s", fields, named(rules, slices.Compact(by)...)), remedy
}

// mostNamed bounds the fields and subjects that a message names.
const mostNamed = 20

// named names rules by their indices.
func named(rules []registry.Rule, by ...int) string {
	texts := make([]string, len(by))
	for i, rule := range by {
		texts[i] = fmt.Sprintf("%q (%s)", rules[rule].Name, rules[rule].Type)
	}
	if len(by) == 1 {
		return "rule " + texts[0]
	}
	return "rules " + strings.Join(texts, ", ")
}

// of names the subjects that a schema is registered under, as far as they are known.
func of(subjects []string) string {
	switch {
	case len(subjects) == 0:
		return ""
	case len(subjects) == 1:
		return " of subject " + subjects[0]
	case len(subjects) > mostNamed:
		subjects = append(slices.Clone(subjects[:mostNamed]), "…")
	}
	return " of subjects " + strings.Join(subjects, ", ")
}
