package registry

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry"
)

// Contract is what a data contract says of a schema's messages. Registries before Confluent's 7.4 keep none.
type Contract struct {
	Rules []Rule // those that are not disabled
	// Tags are those of fields, by a pattern of their full names (see Fields), in addition to those that stand in the schema.
	Tags map[string][]string
	// Properties hold parameters that a rule does not have itself.
	Properties map[string]string
	// Subjects are those that the schema is registered under, where it has rules of encryption and the registry lists them.
	Subjects []string
}

// Rule is a rule of a data contract, which serializers and deserializers execute.
type Rule struct {
	Name, Type, Kind, Mode string
	Migration              bool // it is for another version's reader
	Tags                   []string
	Params                 map[string]string
}

// The types of rules that encrypt.
const (
	EncryptFields  = "ENCRYPT"
	EncryptPayload = "ENCRYPT_PAYLOAD"
)

// Encrypts reports whether a serializer that executes the rule writes ciphertext.
func (r Rule) Encrypts() bool {
	return !r.Migration && (strings.EqualFold(r.Type, EncryptFields) || r.EncryptsPayload())
}

// EncryptsPayload reports whether the ciphertext is the whole payload.
func (r Rule) EncryptsPayload() bool {
	return !r.Migration && strings.EqualFold(r.Type, EncryptPayload)
}

// maxRules bounds a contract's rules, and its patterns of fields: each is compared with each field of a schema.
const maxRules = 1000

// contractOf is the contract of an answer; nil: it has none that matters, as tags and properties do only with rules.
func contractOf(info schemaregistry.SchemaInfo) (*Contract, error) {
	if info.RuleSet == nil {
		return nil, nil //nolint:nilnil // as the comment says
	}
	c := &Contract{}
	c.add(info.RuleSet.MigrationRules, true)
	c.add(info.RuleSet.DomainRules, false)
	c.add(info.RuleSet.EncodingRules, false)
	if len(c.Rules) == 0 {
		return nil, nil //nolint:nilnil // likewise
	}
	if info.Metadata != nil {
		c.Tags, c.Properties = info.Metadata.Tags, info.Metadata.Properties
	}
	if len(c.Rules) > maxRules || len(c.Tags) > maxRules {
		return nil, &invalidAnswer{fmt.Errorf("the data contract has more than %d rules, or patterns of fields", maxRules)}
	}
	return c, nil
}

func (c *Contract) add(rules []schemaregistry.Rule, migration bool) {
	for _, r := range rules {
		if !r.Disabled {
			c.Rules = append(c.Rules, Rule{Name: clean(r.Name), Type: clean(r.Type), Kind: r.Kind, Mode: r.Mode, Migration: migration, Tags: r.Tags, Params: r.Params})
		}
	}
}

// Encryption are the rules that encrypt, in their order.
func (c *Contract) Encryption() []Rule {
	if c == nil {
		return nil
	}
	var found []Rule
	for _, r := range c.Rules {
		if r.Encrypts() {
			found = append(found, r)
		}
	}
	return found
}

// Fields gives the function that reports whether a rule, by its index in rules, is for a field: one without tags is for all, any other for those that have one of its tags.
func (c *Contract) Fields(rules []Rule) func(rule int, field string, tags []string) bool {
	patterns := map[*regexp.Regexp][]string{}
	for pattern, tags := range c.Tags {
		patterns[fieldPattern(pattern)] = tags
	}
	last, given := "", []string(nil) // the field that was asked for last, and its tags by patterns
	return func(rule int, field string, tags []string) bool {
		wanted := rules[rule].Tags
		isWanted := func(tag string) bool { return slices.Contains(wanted, tag) }
		if len(wanted) == 0 || slices.ContainsFunc(tags, isWanted) {
			return true
		}
		if field != last {
			last, given = field, nil
			for pattern, tags := range patterns {
				if pattern.MatchString(field) {
					given = append(given, tags...)
				}
			}
		}
		return slices.ContainsFunc(given, isWanted)
	}
}

// fieldPattern reads a pattern of fields' full names: "?" is a character and "*" any number of them within a name, "**" any number of them across dots.
func fieldPattern(pattern string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`\A(?s:`)
	for rest := strings.ReplaceAll(strings.ToValidUTF8(pattern, "?"), "**.*", "**"); rest != ""; {
		n := 1
		switch {
		case strings.HasPrefix(rest, "**"):
			b.WriteString(".*")
			n = 2
		case rest[0] == '*':
			b.WriteString("[^.]*")
		case rest[0] == '?':
			b.WriteString("[^.]")
		default:
			_, n = utf8.DecodeRuneInString(rest)
			b.WriteString(regexp.QuoteMeta(rest[:n]))
		}
		rest = rest[n:]
	}
	b.WriteString(`)\z`)
	return regexp.MustCompile(b.String())
}
