package frametest

import (
	"os"
	"strings"
	"testing"
)

// Documented are the rows of the table in docs/encoding.md that says what columns of Arrow become in a format.
func Documented(t *testing.T, format string) []string {
	t.Helper()
	page, err := os.ReadFile("../../../docs/encoding.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(page), "| Arrow | "+format+" |\n|---|---|\n")
	if !found {
		t.Fatalf("docs/encoding.md has no table of %s", format)
	}
	table, _, _ = strings.Cut(table, "\n\n")
	return strings.Split(table, "\n")
}
