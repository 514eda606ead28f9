package kafarr_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr"
)

// TestCodesAreTheSameInGoCAndPython walks the three tables.
func TestCodesAreTheSameInGoCAndPython(t *testing.T) {
	header, err := os.ReadFile("../cgo/kafarr.h")
	if err != nil {
		t.Fatal(err)
	}
	python, err := os.ReadFile("../pykafarr/_errors.py")
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`KAFARR_E_\w+ = (\d+),?\s*/\* (\w+):`).FindAllStringSubmatch(string(header), -1)
	if len(lines) != len(kafarr.CodeNames) {
		t.Errorf("%d codes in kafarr.h, %d in Go", len(lines), len(kafarr.CodeNames))
	}
	inC := map[string]string{}
	for _, l := range lines {
		inC[l[2]] = l[1]
	}
	for code, name := range kafarr.CodeNames {
		if inC[name] != fmt.Sprint(int(code)) {
			t.Errorf("%s is %d in Go and %q in kafarr.h", name, code, inC[name])
		}
		if !regexp.MustCompile(fmt.Sprintf(`\b%d: %s\b`, code, name)).Match(python) {
			t.Errorf("pykafarr/_errors.py does not map %d to %s", code, name)
		}
		if !strings.Contains(string(python), "class "+name+"(") {
			t.Errorf("pykafarr/_errors.py has no class %s", name)
		}
	}
}

func TestAnErrorReadsAsPlaceSchemaPathCause(t *testing.T) {
	e := &kafarr.Error{Code: kafarr.DecodeError, Topic: "orders", Partition: 3, Offset: 1042, SchemaID: 17, Path: "customer.zip", Err: fmt.Errorf("varint is longer than 10 bytes")}
	if got, want := e.Error(), "orders[3]@1042: schema 17: customer.zip: varint is longer than 10 bytes"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
