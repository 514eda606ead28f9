package main

import (
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/mock"
)

// contract is the text of kafarr.h in which the JSON of a function or of a struct's member is written: the comment before the function, or the one after the member.
func contract(t *testing.T, of string) string {
	t.Helper()
	header, err := os.ReadFile("kafarr.h")
	if err != nil {
		t.Fatal(err)
	}
	text := string(header)
	if member, isMember := strings.CutPrefix(of, "member "); isMember {
		_, after, found := strings.Cut(text, member)
		comment, _, ended := strings.Cut(after, "*/")
		if !found || !ended {
			t.Fatalf("kafarr.h has no %s with a comment", member)
		}
		return comment
	}
	before, _, found := strings.Cut(text, "int32_t "+of+"(")
	start := strings.LastIndex(before, "/*")
	if !found || start < 0 {
		t.Fatalf("kafarr.h has no %s with a comment", of)
	}
	return before[start:]
}

// key is a key of JSON as kafarr.h writes it: "name": type.
var key = regexp.MustCompile(`"([a-z_]+)":`)

func written(text string) []string {
	var keys []string
	for _, m := range key.FindAllStringSubmatch(text, -1) {
		keys = append(keys, m[1])
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// read are the keys of a type's struct tags, those of the structs within it included.
func read(t reflect.Type) []string {
	keys := map[string]bool{}
	collect(t, keys)
	return slices.Sorted(maps.Keys(keys))
}

func collect(t reflect.Type, keys map[string]bool) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Array || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" && name != "-" {
			keys[name] = true
		}
		if name != "" || f.Anonymous {
			collect(f.Type, keys)
		}
	}
}

func without(keys []string, others ...string) []string {
	return slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return slices.Contains(others, k) })
}

// TestTheHeaderNamesEveryKeyThatGoReadsAndWrites compares the JSON that kafarr.h promises with the struct tags that are read and written.
func TestTheHeaderNamesEveryKeyThatGoReadsAndWrites(t *testing.T) {
	columns := read(reflect.TypeFor[columnOptions]())
	listener := read(reflect.TypeFor[listenerConfig]())
	for of, want := range map[string][]string{
		"member char *info;":        read(reflect.TypeFor[batchInfo]()),
		"listener_new":              without(listener, columns...), // which it names as decoder_new's
		"listener_events":           read(reflect.TypeFor[notice]()),
		"listener_rebalance":        read(reflect.TypeFor[rebalance]()),
		"listener_token":            read(reflect.TypeFor[tokenIn]()),
		"listener_commit_start":     read(reflect.TypeFor[batchesIn]()),
		"listener_stats":            read(reflect.TypeFor[listenerStats]()),
		"scan_new":                  append(without(read(reflect.TypeFor[scanConfig]()), listener...), "start"),
		"scan_plan_start":           without(read(reflect.TypeFor[scanPlan]()), read(reflect.TypeFor[schemaText]())...), // which are scan_new's
		"decoder_new":               read(reflect.TypeFor[decoderConfig]()),
		"decoder_stats":             read(reflect.TypeFor[kafarr.DecoderStats]()),
		"producer_new":              without(read(reflect.TypeFor[producerConfig]()), read(reflect.TypeFor[format.Limits]())...), // which are decoder_new's
		"producer_send_start":       append(read(reflect.TypeFor[sendIn]()), read(reflect.TypeFor[sent]())...),
		"producer_target_start":     read(reflect.TypeFor[target]()),
		"producer_begin_start":      read(reflect.TypeFor[begun]()),
		"report_wait":               read(reflect.TypeFor[reportOut]()),
		"kafarr_mock_new":           read(reflect.TypeFor[mock.Config]()),
		"kafarr_mock_info":          read(reflect.TypeFor[mockInfo]()),
		"kafarr_mock_produce_start": append(read(reflect.TypeFor[mock.Request]()), read(reflect.TypeFor[mock.Result]())...),
	} {
		slices.Sort(want)
		if got := written(contract(t, of)); !slices.Equal(got, want) {
			t.Errorf("%s: kafarr.h has %v, and Go has %v: they differ in %v", of, got, want, append(without(got, want...), without(want, got...)...))
		}
	}
}

// TestTheHeaderNamesTheColumnOptionsOfListeners holds the one list of keys that stands for those of another function.
func TestTheHeaderNamesTheColumnOptionsOfListeners(t *testing.T) {
	text := contract(t, "listener_new")
	for i := range reflect.TypeFor[columnOptions]().NumField() {
		if name := reflect.TypeFor[columnOptions]().Field(i).Tag.Get("json"); !strings.Contains(text, `"`+name+`"`) {
			t.Errorf("listener_new does not name %q", name)
		}
	}
}

// TestEveryJSONOfTheHeaderIsCompared keeps a function that is added from being left out of the comparison.
func TestEveryJSONOfTheHeaderIsCompared(t *testing.T) {
	header, err := os.ReadFile("kafarr.h")
	if err != nil {
		t.Fatal(err)
	}
	test, err := os.ReadFile("contract_test.go")
	if err != nil {
		t.Fatal(err)
	}
	functions := regexp.MustCompile(`(?s)/\*((?:[^*]|\*[^/])*)\*/\s*(?:int32_t|const char \*) ?([a-z_]+)\(`)
	known := []string{"kafarr_version"} // a map of texts
	for _, f := range functions.FindAllStringSubmatch(string(header), -1) {
		if len(written(f[1])) > 0 && !slices.Contains(known, f[2]) && !strings.Contains(string(test), `"`+f[2]+`"`) {
			t.Errorf("%s has JSON in kafarr.h that is compared with no struct", f[2])
		}
	}
}
