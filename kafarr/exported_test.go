package kafarr_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// exported lists what a package exports, a line for each constant, variable, type, field, method and function.
func exported(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	var lines []string
	add := func(words ...string) { lines = append(lines, strings.Join(words, " ")) }
	text := func(node any) string {
		var out bytes.Buffer
		if err := printer.Fprint(&out, set, node); err != nil {
			t.Fatal(err)
		}
		return strings.Join(strings.Fields(out.String()), " ")
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if !d.Name.IsExported() {
					continue
				}
				of := ""
				if d.Recv != nil {
					if of = strings.TrimPrefix(text(d.Recv.List[0].Type), "*"); !ast.IsExported(of) {
						continue
					}
					of = "(" + text(d.Recv.List[0].Type) + ") "
				}
				add("func " + of + d.Name.Name + strings.TrimPrefix(text(d.Type), "func"))
			case *ast.GenDecl:
				kind := d.Tok.String()
				for _, spec := range d.Specs {
					switch s := spec.(type) {
					case *ast.ValueSpec:
						for _, name := range s.Names {
							if name.IsExported() {
								add(kind, name.Name)
							}
						}
					case *ast.TypeSpec:
						if s.Name.IsExported() {
							typed(s, text, add)
						}
					}
				}
			}
		}
	}
	slices.Sort(lines)
	return lines
}

// typed adds the lines of a type.
func typed(s *ast.TypeSpec, text func(any) string, add func(...string)) {
	name := s.Name.Name
	switch of := s.Type.(type) {
	case *ast.StructType:
		add("type", name, "struct")
		for _, f := range of.Fields.List {
			if of := text(f.Type); len(f.Names) == 0 && ast.IsExported(of[strings.LastIndexAny(of, ".*")+1:]) {
				add("field", name, "embeds", of)
			}
			for _, n := range f.Names {
				if n.IsExported() {
					add("field", name+"."+n.Name, text(f.Type))
				}
			}
		}
	case *ast.InterfaceType:
		add("type", name, "interface")
		for _, m := range of.Methods.List {
			if len(m.Names) == 0 {
				add("method", name, "embeds", text(m.Type))
			}
			for _, n := range m.Names {
				add("method", name+"."+n.Name+strings.TrimPrefix(text(m.Type), "func"))
			}
		}
	default:
		equals := ""
		if s.Assign.IsValid() {
			equals = "= "
		}
		add("type", name, equals+text(s.Type))
	}
}

// TestTheExportedNamesChangeOnPurposeOnly compares what package kafarr exports with testdata/exported.txt. PYKAFARR_WRITE_EXPORTED=1 writes the file: commit it with the change.
func TestTheExportedNamesChangeOnPurposeOnly(t *testing.T) {
	golden := filepath.Join("testdata", "exported.txt")
	now := exported(t, ".")
	if os.Getenv("PYKAFARR_WRITE_EXPORTED") != "" {
		if err := os.WriteFile(golden, []byte(strings.Join(now, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	before, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	was := strings.Split(strings.TrimSpace(string(before)), "\n")
	const how = "PYKAFARR_WRITE_EXPORTED=1 go test -run TestTheExportedNames ./kafarr rewrites testdata/exported.txt"
	for _, line := range now {
		if !slices.Contains(was, line) {
			t.Errorf("exported now, and not before: %s\n%s", line, how)
		}
	}
	for _, line := range was {
		if !slices.Contains(now, line) {
			t.Errorf("exported before, and not now: %s\n%s", line, how)
		}
	}
}
