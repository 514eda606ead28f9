package source_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

func TestServersAreReadInOneWay(t *testing.T) {
	for list, want := range map[string][]string{
		"a:1":                           {"a:1"},
		" a:1 , b_2.example-x:2 ":       {"a:1", "b_2.example-x:2"},
		"kafka":                         {"kafka:9092"},
		"PLAINTEXT://a:1,plaintext://b": {"a:1", "b:9092"},
		"[::1]:9092,[fe80::1%eth0]":     {"[::1]:9092", "[fe80::1%eth0]:9092"},
		"PLAINTEXT://[::1]:65535":       {"[::1]:65535"},
		"127.0.0.1:1":                   {"127.0.0.1:1"},
	} {
		if got, err := source.Servers(list, nil); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v", list, got, err)
		}
	}
	properties := map[string]string{"security.protocol": "SASL_SSL"}
	if got, err := source.Servers("sasl_ssl://a:1,b:2", properties); err != nil || !slices.Equal(got, []string{"a:1", "b:2"}) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestAServerThatIsNoneIsNamed(t *testing.T) {
	for list, want := range map[string]string{
		"":                     "servers is empty",
		" , ":                  "servers is empty",
		"a:1,,b:2":             "entry 2 of \"a:1,,b:2\" is empty",
		"a:1,":                 "entry 2 of \"a:1,\" is empty",
		"http://a:1":           `"http://a:1" begins with http://`,
		"a:1,kafka://b:2":      `"kafka://b:2" begins with kafka://`,
		"SSL://a:1":            `"SSL://a:1" says SSL, and security.protocol in config is plaintext`,
		"a:1 b:2":              `"a:1 b:2" holds " "`,
		"a:1;b:2":              `"a:1;b:2" holds ";"`,
		"a:1/":                 `"a:1/" holds "/"`,
		"a:0":                  `"a:0" has the port "0"`,
		"a:65536":              `"a:65536" has the port "65536"`,
		"a:":                   `"a:" has the port ""`,
		"a:x":                  `"a:x" has the port "x"`,
		":9092":                `":9092" names no host`,
		"PLAINTEXT://:1":       `"PLAINTEXT://:1" names no host`,
		"::1":                  `"::1" has more than one colon`,
		"[::1":                 `"[::1" is no IPv6 address`,
		"[a]:1":                `"[a]:1" is no IPv6 address`,
		"[::1]9092":            `"[::1]9092" is no IPv6 address`,
		"anna:password@host:1": "entry 1 holds an @",
	} {
		_, err := source.Servers(list, nil)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "password@") {
			t.Errorf("%q: %v, not %q", list, err, want)
		}
	}
}
