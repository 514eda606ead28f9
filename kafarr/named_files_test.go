package kafarr_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTheFilesThatTheGuidesNameExist follows the names of files in the package comment and in CONTRIBUTING.md: files move, and a reader who follows a wrong name is lost.
func TestTheFilesThatTheGuidesNameExist(t *testing.T) {
	for guide, of := range map[string]struct {
		root string
		name *regexp.Regexp
	}{
		"doc.go":             {".", regexp.MustCompile(`\b([a-z_/]+\.go)\b`)},
		"../CONTRIBUTING.md": {"..", regexp.MustCompile("`((?:kafarr|cgo|pykafarr|tests|bench|docs)/[A-Za-z_/]*(?:\\.[a-z]+)?)`")},
	} {
		text, err := os.ReadFile(guide)
		if err != nil {
			t.Fatal(err)
		}
		named := of.name.FindAllStringSubmatch(string(text), -1)
		if len(named) == 0 {
			t.Errorf("%s names no file", guide)
		}
		for _, n := range named {
			path := strings.Replace(n[1], "type_x.go", "type_union.go", 1) // any one of them
			if _, err := os.Stat(filepath.Join(of.root, path)); err != nil {
				t.Errorf("%s names %s, which does not exist", guide, n[1])
			}
		}
	}
}
