package registry

import (
	"slices"
	"strings"
	"testing"
)

func TestAContractComesWithItsSchema(t *testing.T) {
	s := newServer(t)
	s.on(path(7), reply(200, `{"schema":"\"long\"","metadata":{"tags":{"a.*":["PII"]},"properties":{"encrypt.kek.name":"k"}},"ruleSet":{"domainRules":[
		{"name":"hide","type":"ENCRYPT","mode":"WRITEREAD","tags":["PII"],"params":{"x":"y"}},{"name":"off","type":"ENCRYPT","disabled":true},{"name":"check","type":"CEL"}],
		"migrationRules":[{"name":"up","type":"JSONATA","mode":"UPGRADE"}],"encodingRules":[{"name":"seal","type":"ENCRYPT_PAYLOAD"}],"rulesOfANewerVersion":[{}]}}`))
	s.on(path(7)+"/versions", reply(200, `[{"subject":"b-value","version":1},{"subject":"a-value","version":3},{"subject":"b-value","version":4}]`))
	schema, err := openRegistry(t, s.URL).SchemaByID(background, 7)
	if err != nil || schema.Contract == nil {
		t.Fatalf("%+v, %v", schema, err)
	}
	c := schema.Contract
	var names []string
	for _, r := range c.Rules {
		names = append(names, r.Name)
	}
	if want := []string{"up", "hide", "check", "seal"}; !slices.Equal(names, want) {
		t.Errorf("rules %q, want %q", names, want)
	}
	if e := c.Encryption(); len(e) != 2 || e[0].Params["x"] != "y" || e[0].EncryptsPayload() || !e[1].EncryptsPayload() {
		t.Errorf("%+v", e)
	}
	if want := []string{"b-value", "a-value"}; !slices.Equal(c.Subjects, want) || c.Properties["encrypt.kek.name"] != "k" {
		t.Errorf("%+v", c)
	}
}

func TestASchemaWithoutEncryptionIsAskedForOnce(t *testing.T) {
	for _, rules := range []string{`}`, `,"ruleSet":null}`, `,"ruleSet":{"domainRules":[]}}`, `,"ruleSet":{"domainRules":[{"type":"ENCRYPT","disabled":true},{"type":"CEL"}]}}`} {
		s := newServer(t)
		s.on(path(7), reply(200, `{"schema":"\"long\""`+rules))
		schema, err := openRegistry(t, s.URL).SchemaByID(background, 7)
		if err != nil || len(schema.Contract.Encryption()) > 0 {
			t.Fatalf("%s: %+v, %v", rules, schema, err)
		}
		if n := s.count(path(7) + "/versions"); n != 0 {
			t.Errorf("%s: %d requests for subjects", rules, n)
		}
	}
}

func TestSubjectsThatAreNotToldDoNotFailTheLookUp(t *testing.T) {
	s := newServer(t)
	s.on(path(7), reply(200, `{"schema":"\"long\"","ruleSet":{"domainRules":[{"type":"ENCRYPT"}]}}`))
	schema, err := openRegistry(t, s.URL).SchemaByID(background, 7)
	if err != nil || len(schema.Contract.Encryption()) != 1 || schema.Contract.Subjects != nil {
		t.Fatalf("%+v, %v", schema, err)
	}
}

func TestFieldsAreFoundByTagsAndPatterns(t *testing.T) {
	rules := []Rule{{Tags: []string{"PII"}}, {}}
	for _, test := range []struct {
		pattern, field string
		want           bool
	}{
		{"a.b.c", "a.b.c", true}, {"a.b", "a.b.c", false}, {"a.*.c", "a.b.c", true}, {"a.*", "a.b.c", false}, {"*.c", "a.b.c", false},
		{"a.**", "a.b.c", true}, {"**.c", "a.b.c", true}, {"**", "a.b.c", true}, {"a.b.?", "a.b.c", true}, {"a?b.c", "a.b.c", false}, {"a.**.*", "a.b.c", true},
		{"A.b.c", "a.b.c", false}, {"a.b.(c|d)", "a.b.c", false}, {"", "a.b.c", false}, {"a.b.\xff", "a.b.c", true}, {"é*", "éa", true},
	} {
		c := &Contract{Tags: map[string][]string{test.pattern: {"PII"}}}
		if got := c.Fields(rules)(0, test.field, nil); got != test.want {
			t.Errorf("%q finds %q: %v", test.pattern, test.field, got)
		}
	}
	applies := (&Contract{}).Fields(rules)
	if applies(0, "a.b", []string{"PCI"}) || !applies(0, "a.b", []string{"PCI", "PII"}) || !applies(1, "a.b", nil) {
		t.Error("tags of the schema are not followed")
	}
}

func TestAContractOfEndlessRulesIsOfNoUse(t *testing.T) {
	s := newServer(t)
	s.on(path(7), reply(200, `{"schema":"\"long\"","ruleSet":{"domainRules":[{"type":"ENCRYPT"}`+strings.Repeat(`,{"type":"ENCRYPT"}`, maxRules)+`]}}`))
	_, err := openRegistry(t, s.URL).SchemaByID(background, 7)
	wantKind(t, err, Invalid, "more than 1000 rules")
}
