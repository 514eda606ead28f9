package registry

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// schemaAnswer is a registry's answer: the schema text, and references given as "subject/version".
func schemaAnswer(id int, text string, references ...string) http.HandlerFunc {
	var list []string
	for _, reference := range references {
		subject, version, _ := strings.Cut(reference, "/")
		list = append(list, fmt.Sprintf(`{"name":"N.%s","subject":%q,"version":%s}`, subject, subject, version))
	}
	return reply(200, fmt.Sprintf(`{"id":%d,"schema":%q,"references":[%s]}`, id, text, strings.Join(list, ",")))
}

func TestReferencesStandBeforeThoseThatNeedThem(t *testing.T) {
	s := newServer(t)
	// order needs customer and item; both need money; customer needs address.
	s.on(path(1), schemaAnswer(0, "order", "customer/2", "item/1"))
	s.on("/subjects/customer/versions/2", schemaAnswer(2, "customer", "address/1", "money/1"))
	s.on("/subjects/item/versions/1", schemaAnswer(3, "item", "money/1", "money-copy/1"))
	s.on("/subjects/address/versions/1", schemaAnswer(4, "address"))
	s.on("/subjects/money/versions/1", schemaAnswer(5, "money"))
	s.on("/subjects/money-copy/versions/1", schemaAnswer(5, "money"))
	schema, err := openRegistry(t, s.URL).SchemaByID(background, 1)
	if err != nil {
		t.Fatal(err)
	}
	want := []Referenced{
		{"N.address", "address", "subject address, version 1"},
		{"N.money", "money", "subject money, version 1"},
		{"N.customer", "customer", "subject customer, version 2"},
		{"N.money-copy", "money", "subject money-copy, version 1"}, // another name of the same text
		{"N.item", "item", "subject item, version 1"},
	}
	if !slices.Equal(schema.References, want) {
		t.Errorf("got %q, want %q", schema.References, want)
	}
	if schema.Text != "order" {
		t.Errorf("text %q", schema.Text)
	}
	if n := s.count("/subjects/money/versions/1"); n != 1 {
		t.Errorf("money was asked for %d times", n)
	}
}

// TestASchemaHasEachOfItsNames has two files that import a third one by different paths: whoever resolves the imports needs both.
func TestASchemaHasEachOfItsNames(t *testing.T) {
	s := newServer(t)
	refers := func(text, references string) http.HandlerFunc {
		return reply(200, fmt.Sprintf(`{"id":9,"schemaType":"PROTOBUF","schema":%q,"references":[%s]}`, text, references))
	}
	s.on(path(1), refers("order", `{"name":"a/customer.proto","subject":"customer","version":1},{"name":"money.proto","subject":"money","version":1}`))
	s.on("/subjects/customer/versions/1", refers("customer", `{"name":"a/money.proto","subject":"money","version":1}`))
	s.on("/subjects/money/versions/1", refers("money", ""))
	schema, err := openRegistry(t, s.URL).SchemaByID(background, 1)
	if err != nil {
		t.Fatal(err)
	}
	want := []Referenced{
		{"a/money.proto", "money", "subject money, version 1"}, {"a/customer.proto", "customer", "subject customer, version 1"}, {"money.proto", "money", "subject money, version 1"},
	}
	if !slices.Equal(schema.References, want) {
		t.Errorf("got %q, want %q", schema.References, want)
	}
	if n := s.count("/subjects/money/versions/1"); n != 1 {
		t.Errorf("money was asked for %d times", n)
	}
}

func texts(s Schema) (out []string) {
	for _, r := range s.References {
		out = append(out, r.Text)
	}
	return out
}

func TestSubjectsAreEscaped(t *testing.T) {
	s := newServer(t)
	s.on(path(1), schemaAnswer(0, "order", "a b?c#d/1"))
	s.on("/subjects/a b?c#d/versions/1", schemaAnswer(2, "money"))
	if _, err := openRegistry(t, s.URL).SchemaByID(background, 1); err != nil {
		t.Error(err)
	}
}

func TestCirclesAreRefused(t *testing.T) {
	noGoroutineStays(t)
	t.Run("among the references", func(t *testing.T) {
		s := newServer(t)
		s.on(path(1), schemaAnswer(0, "order", "a/1"))
		s.on("/subjects/a/versions/1", schemaAnswer(2, "a", "b/1"))
		s.on("/subjects/b/versions/1", schemaAnswer(3, "b", "a/1"))
		_, err := openRegistry(t, s.URL).SchemaByID(background, 1)
		wantKind(t, err, Invalid, "schema 1: references form a circle: N.a (subject a, version 1) -> N.b (subject b, version 1) -> N.a")
	})
	t.Run("back to the schema itself", func(t *testing.T) {
		s := newServer(t)
		s.on(path(1), schemaAnswer(0, "order", "order/1"))
		s.on("/subjects/order/versions/1", schemaAnswer(1, "order", "order/1"))
		_, err := openRegistry(t, s.URL).SchemaByID(background, 1)
		wantKind(t, err, Invalid, "circle")
	})
	t.Run("asked for again", func(t *testing.T) {
		s := newServer(t)
		s.on(path(1), schemaAnswer(0, "a", "a/1"))
		s.on("/subjects/a/versions/1", schemaAnswer(2, "a", "a/1"))
		r := openRegistry(t, s.URL)
		for range 10 {
			_, err := r.SchemaByID(background, 1)
			wantKind(t, err, Invalid, "circle")
		}
		if n := s.count(path(1)); n != 1 {
			t.Errorf("%d requests", n)
		}
	})
}

func TestTooManyReferencesAreRefused(t *testing.T) {
	s := newServer(t)
	endless := func(w http.ResponseWriter, r *http.Request) {
		var n int
		_, _ = fmt.Sscanf(r.URL.Path, "/subjects/s/versions/%d", &n)
		schemaAnswer(n+10, fmt.Sprint("s", n), fmt.Sprint("s/", n+1))(w, r)
	}
	s.on(path(1), schemaAnswer(0, "root", "s/1"))
	for n := range maxReferences + 10 {
		s.on(fmt.Sprint("/subjects/s/versions/", n), endless)
	}
	_, err := openRegistry(t, s.URL).SchemaByID(background, 1)
	wantKind(t, err, Invalid, "more than 1000 references")
}

func TestMissingReferenceIsNamed(t *testing.T) {
	s := newServer(t)
	s.on(path(1), schemaAnswer(0, "order", "money/3"))
	_, err := openRegistry(t, s.URL).SchemaByID(background, 1)
	wantKind(t, err, NotFound, "schema 1: reference N.money (subject money, version 3): 404: Schema not found")
}
